import { derivedId, exampleEnvelope, newId, type Id } from '@atelier/kernel';
import { startService, type ServiceUnderTest } from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { command } from '../cli/command.fixture.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { empty } from '../payouts/seller.fixture.js';
import { VerifyBooks } from './verify-books.usecase.js';

let userId: Id<'usr'>;
let account: string;
let ledger: ServiceUnderTest;
beforeAll(async () => {
  ledger = await startService(LedgerModule, ledgerConfig);
});
beforeEach(async () => {
  await empty(ledger);
  userId = newId('usr');
  account = `user:${userId}`;
  for (const credits of [100, 200, 300]) {
    const payment = { ...PaymentSucceeded.example, paymentId: newId('pay'), userId, credits };
    await ledger.publish(exampleEnvelope(PaymentSucceeded, payment, { subject: payment.paymentId }));
  }
});
afterAll(() => ledger.close());

const findings = async () => (await ledger.app.get(VerifyBooks, { strict: false }).execute()).findings;
const tamper = async (collection: string, filter: object, update: object) => {
  const { modifiedCount } = await ledger.database.connection.collection(collection).updateOne(filter, update);
  expect(modifiedCount).toBe(1);
};
const second = { 'links.sequence': 2 };

describe('verify', () => {
  it('finds nothing in books that nobody touched', async () => {
    expect(await findings()).toEqual([]);
  });

  it('names the account and both amounts when a balance was changed', async () => {
    await tamper('credit_balances', { _id: userId }, { $inc: { settled: 7, available: 7 } });
    expect(await findings()).toMatchObject([{ account, expected: 600, found: 607 }]);
  });

  it('names the statement line that was changed (R239)', async () => {
    await tamper('credit_transactions', { userId, sequence: 2 }, { $set: { amount: 2000 } });
    expect(await findings()).toMatchObject([{ account, expected: 200, found: 2000 }]);
  });

  it('names the entry whose amounts were changed, even in balance', async () => {
    await tamper('journal_entries', second, {
      $set: { 'postings.0.amount': -999, 'postings.1.amount': 999 },
    });
    expect((await findings()).map(({ problem }) => problem)).toContain('its hash is not of what it says');
  });

  it('names the entry after one that was rewritten with a fitting hash', async () => {
    const entries = ledger.database.connection.collection('journal_entries');
    const other = await entries.findOne({ 'links.sequence': 1 });
    await tamper('journal_entries', second, { $set: { hash: other!['hash'] as string } });
    expect((await findings()).map(({ problem }) => problem)).toContain(
      'it is not linked to the entry before it',
    );
  });

  it('sees that the newest entry is missing, with its line and its amount', async () => {
    const { connection } = ledger.database;
    await connection.collection('journal_entries').deleteOne({ 'links.sequence': 3 });
    await connection.collection('credit_transactions').deleteOne({ userId, sequence: 3 });
    await tamper('credit_balances', { _id: userId }, { $inc: { settled: -300, available: -300 } });
    expect((await findings()).map(({ problem }) => problem)).toContain('the account ends with another entry');
  });

  it('sees that a whole account is missing', async () => {
    await ledger.database.connection.collection('credit_balances').deleteOne({ _id: userId as never });
    expect(await findings()).toMatchObject([{ account, problem: 'the account has no balance' }]);
  });

  it.each([
    ['has a time of another kind', { $set: { createdAt: 'yesterday' } }],
    ['has lost its postings', { $unset: { postings: '' } }],
  ])('names an entry that %s, and goes on with the other accounts', async (_, damage) => {
    const other = newId('usr');
    const payment = { ...PaymentSucceeded.example, paymentId: newId('pay'), userId: other, credits: 5 };
    await ledger.publish(exampleEnvelope(PaymentSucceeded, payment, { subject: payment.paymentId }));
    await tamper('credit_balances', { _id: other }, { $inc: { settled: 1, available: 1 } });
    const entry = await ledger.database.connection
      .collection('journal_entries')
      .findOne({ links: { $elemMatch: { account, sequence: 2 } } });
    await tamper('journal_entries', { _id: entry!._id }, damage);
    const found = await findings();
    expect(found).toContainEqual(
      expect.objectContaining({ entryId: entry!._id, problem: 'it cannot be read' }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({ account: `user:${other}`, expected: 5, found: 6 }),
    );
  });

  it('sums the journal range by range, however long it is', async () => {
    const postings = [{ account: 'platform:revenue', asset: 'credits', amount: 1 }];
    const old = Array.from({ length: 10_001 }, (_, at) => ({
      _id: derivedId('jrn', String(at), new Date('2026-01-01T00:00:00Z')) as never,
      ...{ causeId: `old:${at}`, links: [], postings },
    }));
    await ledger.database.connection.collection('journal_entries').insertMany(old);
    expect(await ledger.app.get(VerifyBooks, { strict: false }).verifySum()).toMatchObject([
      { problem: 'users and platform together are not zero credits', expected: 600 - 10_001, found: 600 },
    ]);
  });

  it('ends its command with 1 and a line that names account, entry and amounts', async () => {
    expect(await command(ledger, 'verify')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('the books balance') as string,
    });
    await tamper('credit_transactions', { userId, sequence: 2 }, { $set: { amount: 2000 } });
    const { status, stdout } = await command(ledger, 'verify');
    expect(status).toBe(1);
    expect(stdout).toMatch(new RegExp(`${account} jrn_\\w+: .*expected 200, found 2000`));
  });
});
