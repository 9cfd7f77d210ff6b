import { newId } from '@atelier/kernel';
import { explain, rebuild, verify } from '../cli/commands.js';
import { databaseOf, printed } from '../cli/command.fixture.js';
import { openBooks, type Books } from '../cli/open-books.js';
import { EarningsRepository } from '../earnings/earnings.repository.js';
import { CHAIN_START, earningsAccount, sealEntry, type Entry } from '../journal/entry.domain.js';
import { ApprovedPayouts } from '../payouts/approved-payouts.job.js';
import { Sellers, type User } from '../payouts/seller.fixture.js';
import { AccountHistory } from './account-history.js';
import { RebuildEarnings } from './rebuild-earnings.usecase.js';

let sellers: Sellers;
let seller: User;
let books: Books;
/** The payout that is under way. */
let open: string;
/** A ledger, and its books as an operator opens them. */
beforeAll(async () => {
  sellers = await Sellers.start();
  books = await openBooks(databaseOf(sellers.ledger));
});
/** A seller with two payouts that were rejected and one under way. */
beforeEach(async () => {
  await sellers.empty();
  seller = await sellers.seller(900);
  for (const decision of ['reject', 'reject', 'none']) {
    const { id } = (await sellers.request(seller, 100)).body;
    if (decision === 'reject') await sellers.decide(id, 'reject');
    else open = id;
  }
});
afterAll(async () => {
  await books.close();
  await sellers.ledger.close();
});

const collection = (name: string) => sellers.ledger.database.connection.collection(name);
const account = () => earningsAccount(seller.id, 'USD');
const rows = () => collection('earnings_balances').find().toArray();
const entryAt = (sequence: number) => ({ links: { $elemMatch: { account: account(), sequence } } });
const tamper = (update: object) => collection('earnings_balances').updateOne({}, update);
const show = () => printed((terminal) => rebuild(books, false, terminal));
const mend = () => printed((terminal) => rebuild(books, true, terminal));

/** A rebuild between whose first reads of balance and chain the ledger ends the open payout. */
function busy() {
  const { database } = sellers.ledger;
  const history = sellers.get(AccountHistory);
  let reads = 0;
  const moving = Object.assign(Object.create(history) as AccountHistory, {
    async *earningsEntries(of: ReturnType<typeof account>) {
      if (reads++ === 0) expect((await sellers.decide(open, 'reject')).status).toBe(200);
      yield* history.earningsEntries(of);
    },
  });
  const earnings = sellers.get(EarningsRepository);
  const rebuildEarnings = new RebuildEarnings(database, earnings, moving, sellers.clock);
  return { rebuildEarnings, reads: () => reads };
}

it('explain tells of a payout by its id how it was paid, and by any entry of it', async () => {
  await sellers.decide(open, 'approve');
  await sellers.get(ApprovedPayouts).sweep();
  const paid = await collection('journal_entries').findOne({ causeId: `payout_ended:${open}` });
  const [story, again] = await Promise.all(
    [open, String(paid!._id)].map((id) => printed((terminal) => explain(books, id, terminal))),
  );
  expect(story).toEqual(again);
  expect(story!.stdout).toMatch(new RegExp(`spend_payout +-100 +\\d+ +user:${seller.id}`));
  expect(story!.stdout).toMatch(
    new RegExp(`earnings +-300 +${account()} +${String(paid!._id)} +payout_ended`),
  );
  expect(story!.stdout).toMatch(/platform +300 +platform:clearing/);
});

describe('rebuild, of accounts of money', () => {
  it('finds nothing in books that nobody touched, and counts accounts of both kinds', async () => {
    expect(await mend()).toEqual({
      status: 0,
      stdout: '3 accounts: 0 differ, 0 mended, 0 refused',
    });
  });

  it('shows what differs and changes nothing, then derives the balance from the journal', async () => {
    const [before] = await rows();
    await tamper({ $set: { settled: 7, sequence: 2 } });
    const tampered = await rows();
    const shown = await show();
    expect(shown).toMatchObject({ status: 1 });
    expect(shown.stdout).toContain(`${account()} ${before!['lastEntryId']}: the settled balance`);
    expect(shown.stdout).toContain('expected 300, found 7');
    expect(shown.stdout).toContain('3 accounts: 1 differ, 0 mended, 0 refused');
    expect(await rows()).toEqual(tampered);

    const first = await collection('journal_entries').findOne(entryAt(1));
    await tamper({ $set: { lastEntryId: first!._id } });
    const mended = await mend();
    expect(mended).toMatchObject({ status: 0 });
    expect(mended.stdout).toContain('3 accounts: 1 differ, 1 mended, 0 refused');
    const version = (before!['version'] as number) + 1;
    expect(await rows()).toEqual([{ ...before, version, updatedAt: expect.any(Date) as Date }]);
    await sellers.expectBooksToBalance();
  });

  it('makes a lost balance again, on which the next entry stands', async () => {
    const [before] = await rows();
    await collection('earnings_balances').deleteMany({});
    const shown = await show();
    expect(shown.stdout).toContain(
      `${account()} -: the account has no balance; expected 5 entries, found none`,
    );
    expect(await rows()).toEqual([]);
    expect(await mend()).toMatchObject({ status: 0 });
    expect(await rows()).toEqual([{ ...before, version: 1, updatedAt: expect.any(Date) as Date }]);
    expect((await sellers.decide(open, 'reject')).status).toBe(200);
    expect(await sellers.earnings()).toEqual([`${seller.id}:USD 0`]);
    await sellers.expectBooksToBalance();
  });

  it.each([
    ['an entry is lost', () => collection('journal_entries').deleteOne(entryAt(3))],
    ['the newest entry is lost', () => collection('journal_entries').deleteOne(entryAt(5))],
    [
      'an entry was changed',
      () => collection('journal_entries').updateOne(entryAt(3), { $set: { sourceId: 'other' } }),
    ],
  ])('believes no journal in which %s', async (_, damage) => {
    await damage();
    await tamper({ $inc: { settled: 1 } });
    const before = await rows();
    const { status, stdout } = await mend();
    expect(status).toBe(1);
    expect(stdout).toContain(`${account()} is left alone`);
    expect(await rows()).toEqual(before);
  });

  it('believes no journal in which an entry is lost where a page of it ends', async () => {
    const other = earningsAccount(newId('usr'), 'USD');
    const entries: Entry[] = [];
    for (let sequence = 1; sequence <= 502; sequence++) {
      const previousHash = entries.at(-1)?.hash ?? CHAIN_START;
      const draft = {
        ...{ causeId: `payout:${other}:${sequence}`, sourceId: newId('pyr') },
        postings: [
          { account: 'platform:payouts' as const, asset: 'USD' as const, amount: -3 },
          { account: other, asset: 'USD' as const, amount: 3 },
        ],
      };
      const links = [{ account: other, sequence, previousHash }];
      const head = { id: newId('jrn'), links, correlationId: 'c', createdAt: new Date() };
      entries.push(sealEntry(draft, head));
    }
    const kept = entries.filter((_, place) => place !== 499);
    await collection('journal_entries').insertMany(
      kept.map(({ id, ...entry }) => ({ _id: id as never, ...entry })),
    );
    const { status, stdout } = await mend();
    expect(status).toBe(1);
    expect(stdout).toContain(`${other} is left alone`);
    expect(await rows()).toHaveLength(1);
  });

  it('shows no difference when the ledger books while the account is read', async () => {
    const { rebuildEarnings } = busy();
    expect(await rebuildEarnings.execute(account(), { apply: false })).toEqual({
      ...{ differences: [], refusals: [], mended: false },
    });
    expect(await sellers.earnings()).toEqual([`${seller.id}:USD 0`]);
  });

  it('puts nothing over what the ledger books while the account is recomputed', async () => {
    await tamper({ $inc: { settled: 1 } });
    const { rebuildEarnings, reads } = busy();
    expect(await rebuildEarnings.execute(account(), { apply: true })).toMatchObject({ mended: true });
    expect(reads()).toBe(2);
    expect(await sellers.earnings()).toEqual([`${seller.id}:USD 0`]);
    await sellers.expectBooksToBalance();
  });

  it('writes a balance only in the place of the version that was read', async () => {
    const earnings = sellers.get(EarningsRepository);
    const read = (await earnings.load(account()))!;
    await sellers.decide(open, 'reject');
    await expect(earnings.mend({ ...read, settled: 1 }, read)).rejects.toThrow('earnings_balances');
    expect(await sellers.earnings()).toEqual([`${seller.id}:USD 0`]);
  });
});

describe('explain, of an entry of earnings', () => {
  it('tells what is owed since then', async () => {
    const [{ lastEntryId }] = (await rows()) as unknown as [{ lastEntryId: string }];
    expect(await books.explain.execute(lastEntryId)).toContainEqual(
      expect.objectContaining({ id: lastEntryId, account: account(), amount: 300 }),
    );
  });
});

describe('books with nobody in them', () => {
  beforeEach(async () => {
    const names = ['credit_balances', 'credit_transactions', 'credit_holds', 'journal_entries'];
    for (const name of [...names, 'earnings_balances']) await collection(name).deleteMany({});
  });

  it('are verified and rebuilt', async () => {
    expect(await mend()).toEqual({
      status: 0,
      stdout: '0 accounts: 0 differ, 0 mended, 0 refused',
    });
    expect(await printed((terminal) => verify(books, terminal))).toEqual({
      status: 0,
      stdout: '0 accounts, 0 entries: the books balance',
    });
  });
});
