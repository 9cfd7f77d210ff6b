import { randomBytes } from 'node:crypto';
import { exampleEnvelope, newId, SystemClock } from '@atelier/kernel';
import { aDatabaseName, aUser, openDatabase, type OpenDatabase } from '@atelier/testing';
import { UserDeleted } from '@atelier/contracts/identity/user.events';
import { BankFileCreated, BankFileConfirmed } from '@atelier/contracts/ledger/bank-file.events';
import { ApprovedPayouts } from '../approved-payouts.job.js';
import { bankAccount, IBAN, Sellers, type User } from '../seller.fixture.js';
import { BankFileProvider } from './bank-file.provider.js';
import { BankTransferRepository } from './bank-transfer.repository.js';
import { describePayoutProvider } from './payout-provider.contract.js';
import { AccountSeal } from './sealed-account.js';

const key = randomBytes(32).toString('base64');
const seal = new AccountSeal(key);

describe('alone', () => {
  let open: OpenDatabase<BankTransferRepository>;
  beforeAll(async () => {
    const options = { database: 'ledger', name: aDatabaseName('ledger') };
    open = await openDatabase(options, (database) => new BankTransferRepository(database));
  });
  afterAll(async () => {
    await open.database.connection.dropDatabase();
    await open.close();
  });

  describePayoutProvider('bank file', () => ({
    provider: new BankFileProvider(open.repositories, seal, new SystemClock()),
    account: bankAccount() as never,
    closedAccount: bankAccount() as never,
    codeOf: async (methodId) => (await open.repositories.find(methodId))!.text.slice(-6),
    work: async (reference, status) => {
      await open.repositories.takeInto(newId('bkf'), [reference]);
      const reason = status === 'failed' ? { reason: 'AC04' } : {};
      await open.repositories.confirm(reference, { status, ...reason, fileVersion: 2 });
    },
    ordersOf: async (payoutId) => {
      const transfer = await open.repositories.find(payoutId);
      return transfer ? [transfer.amount] : [];
    },
  }));
});

describe('a sealed account', () => {
  const methodId = newId('pym');
  const account = bankAccount() as never;

  it('is opened with its key, and with no other', () => {
    const sealed = seal.seal(methodId, account);
    expect(seal.open(sealed)).toEqual(account);
    expect(() => new AccountSeal(randomBytes(32).toString('base64')).open(sealed)).toThrow();
  });

  it('is not opened when it was changed, or moved to another method', () => {
    const sealed = seal.seal(methodId, account);
    const other = sealed.at(-4) === 'A' ? 'B' : 'A';
    expect(() => seal.open(sealed.replace(methodId, newId('pym')))).toThrow();
    expect(() => seal.open(`${sealed.slice(0, -4)}${other}${sealed.slice(-3)}`)).toThrow();
  });
});

describe('payouts by bank file', () => {
  const BASE = '/api/v1/billing/payout-requests';
  const admin = aUser('admin');
  let sellers: Sellers;
  beforeAll(async () => {
    sellers = await Sellers.start({ PAYOUT_ACCOUNT_KEY: key });
  });
  beforeEach(() => sellers.empty());
  afterAll(() => sellers.ledger.close());

  const file = async () => {
    const { body } = await sellers.ledger.as(admin).post(`${BASE}/bank-files`);
    const { body: csv } = await sellers.ledger.as(admin).get(`${BASE}/bank-files/${body.id}`);
    return { id: body.id as string, transfers: body.transfers as number, csv: csv as string };
  };
  const METHODS = '/api/v1/billing/payout-methods';
  const add = async (user: User) =>
    (await sellers.ledger.as(user).post(METHODS, { account: bankAccount() })).body.id as string;
  const verify = (user: User, id: string, code: string) =>
    sellers.ledger.as(user).post(`${METHODS}/${id}/verify`, { code });
  /** A payout that waits for its approval, to an account that was verified by a file. */
  const withPayout = async () => {
    const seller = aUser();
    await sellers.sell(seller, 500);
    sellers.clock.pass(14);
    const methodId = await add(seller);
    await verify(seller, methodId, /Atelier (\d{6})/.exec((await file()).csv)![1]!);
    return (await sellers.request(seller, 200)).body.id as string;
  };
  const confirm = (id: string, body: object, by = admin) =>
    sellers.ledger.as(by).post(`${BASE}/bank-transfers/${id}/confirm`, body);

  it('go out by hand, from the verification of the account to the end', async () => {
    const seller = aUser();
    await sellers.sell(seller, 500);
    sellers.clock.pass(14);
    const methods = sellers.ledger.as(seller);
    const added = await methods.post('/api/v1/billing/payout-methods', { account: bankAccount() });
    expect(added.body).toMatchObject({ provider: 'bank_file', display: '•••• 3000', status: 'pending' });
    const verification = await file();
    const code = /Atelier (\d{6})/.exec(verification.csv)![1];
    await methods.post(`/api/v1/billing/payout-methods/${added.body.id}/verify`, { code });
    const { id } = (await sellers.request(seller, 200)).body;
    await sellers.decide(id, 'approve');
    await sellers.get(ApprovedPayouts).sweep();
    expect(await sellers.payout(seller, id)).toMatchObject({ status: 'paying' });

    expect((await confirm(id, { outcome: 'paid' })).body.code).toBe('ledger.bank_transfer.not_in_a_file');
    const { id: bankFileId, csv } = await file();
    expect(csv).toBe(
      `transferId,holderName,iban,amountMinorUnits,currency,text\r\n${id},Ada Lovelace,${IBAN},600,USD,Atelier ${id}\r\n`,
    );
    expect((await sellers.ledger.as(admin).post(`${BASE}/bank-files`)).body.code).toBe(
      'ledger.bank_file.empty',
    );
    expect((await confirm(id, { outcome: 'paid' })).body).toEqual({ id, status: 'paid', reason: null });
    expect((await confirm(id, { outcome: 'paid' })).status).toBe(200);
    expect((await confirm(id, { outcome: 'failed', reason: 'AC04' })).body.code).toBe(
      'ledger.bank_transfer.already_confirmed',
    );
    sellers.clock.pass(1);
    await sellers.get(ApprovedPayouts).sweep();
    expect(await sellers.payout(seller, id)).toMatchObject({ status: 'paid', providerReference: id });
    expect((await sellers.facts(BankFileCreated)).map(({ data }) => data.createdBy)).toEqual([
      admin.id,
      admin.id,
    ]);
    expect(
      (await sellers.facts(BankFileConfirmed)).map(({ subject, version, data }) => [
        ...[subject, version],
        data,
      ]),
    ).toEqual([
      [bankFileId, 2, { bankFileId, transferId: id, outcome: 'paid', reason: null, confirmedBy: admin.id }],
    ]);
    await sellers.expectBooksToBalance();
  });

  it('are in one file each, also when several are made at once, and never keep a number in clear', async () => {
    for (let count = 0; count < 5; count++) await sellers.method(aUser());
    const key = { 'idempotency-key': newId('key') };
    const made = await Promise.all([
      sellers.ledger.as(admin).post(`${BASE}/bank-files`, undefined, key),
      ...[1, 2].map(() => sellers.ledger.as(admin).post(`${BASE}/bank-files`)),
    ]);
    const transfers = made.filter(({ status }) => status === 201).map(({ body }) => body.transfers as number);
    expect(transfers.reduce((sum, count) => sum + count, 0)).toBe(5);
    for (const name of ['payout_methods', 'bank_transfers', '_idempotency']) {
      const rows = await sellers.ledger.database.connection.collection(name).find().toArray();
      expect(JSON.stringify(rows)).not.toContain(IBAN.slice(-8));
    }
  });

  it('leave before verifications, and no code goes to a method that was deleted or guessed at before, nor to a deleted person', async () => {
    const payee = await withPayout();
    const [deleted, guessed, pending, gone] = [aUser(), aUser(), aUser(), aUser()];
    const ids = [await add(deleted), await add(guessed), await add(pending), await add(gone)];
    await sellers.ledger.as(deleted).delete(`${METHODS}/${ids[0]}`);
    for (let count = 0; count < 5; count++) await verify(guessed, ids[1]!, '000000');
    const deletion = { ...UserDeleted.example, userId: gone.id };
    await sellers.ledger.redeliver(exampleEnvelope(UserDeleted, deletion, { subject: gone.id }));
    await sellers.decide(payee, 'approve');
    await sellers.get(ApprovedPayouts).sweep();
    const { csv } = await file();
    const [, ...lines] = csv.trimEnd().split('\r\n');
    expect(lines.map((line) => line.split(',', 1)[0])).toEqual([payee, ids[2]]);
  });

  it('do not wait for one whose account cannot be opened', async () => {
    const [lost, ...rest] = [await add(aUser()), await add(aUser()), await add(aUser())];
    const rows = sellers.ledger.database.connection.collection<{ _id: string }>('bank_transfers');
    const spoil = (_id: string) => rows.updateOne({ _id }, { $set: { providerAccountId: 'x.y' } });
    await spoil(lost);
    const { id, transfers } = await file();
    expect(transfers).toBe(2);
    expect(await rows.findOne({ _id: lost })).toMatchObject({ bankFileId: null });
    await spoil(rest[0]);
    const { status, body } = await sellers.ledger.as(admin).get(`${BASE}/bank-files/${id}`);
    expect([status, (body as unknown as string).trimEnd().split('\r\n')]).toEqual([
      200,
      [expect.stringContaining('transferId'), expect.stringContaining(rest[1])],
    ]);
    const failed = await confirm(rest[0], { outcome: 'failed', reason: 'account lost' });
    expect(failed.body).toMatchObject({ status: 'failed' });
  });

  it('are confirmed at the same time, each as a version of the file of its own', async () => {
    const ids = [await add(aUser()), await add(aUser()), await add(aUser())];
    await file();
    const answers = await Promise.all(ids.map((id) => confirm(id, { outcome: 'paid' })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const facts = await sellers.facts(BankFileConfirmed);
    expect(facts.map(({ version }) => version).sort()).toEqual([2, 3, 4]);
  });

  it('need the key that accounts are sealed with', async () => {
    const { ledger } = await Sellers.start();
    try {
      const refused = { status: 503, body: { code: 'ledger.payout_provider.none' } };
      expect(await ledger.as(admin).post(`${BASE}/bank-files`)).toMatchObject(refused);
    } finally {
      await ledger.close();
    }
  });

  it('are the affair of admins, and names what is not there', async () => {
    for (const path of ['bank-files', `bank-transfers/${newId('pyo')}/confirm`])
      expect(
        (await sellers.ledger.as(aUser('moderator')).post(`${BASE}/${path}`, { outcome: 'paid' })).status,
      ).toBe(403);
    expect((await sellers.ledger.as(aUser()).get(`${BASE}/bank-files/${newId('bkf')}`)).status).toBe(403);
    expect((await sellers.ledger.as(admin).get(`${BASE}/bank-files/${newId('bkf')}`)).status).toBe(404);
    expect((await confirm(newId('pyo'), { outcome: 'paid' })).status).toBe(404);
  });
});
