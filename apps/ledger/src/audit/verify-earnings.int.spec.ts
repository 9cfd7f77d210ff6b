import { Sellers, type User } from '../payouts/seller.fixture.js';
import { ApprovedPayouts } from '../payouts/approved-payouts.job.js';
import { VerifyAccount } from './verify-account.usecase.js';
import { VerifyBooks } from './verify-books.usecase.js';

let sellers: Sellers;
let seller: User;
/** The payout that is under way. */
let open: string;
beforeAll(async () => {
  sellers = await Sellers.start();
});
beforeEach(async () => {
  await sellers.empty();
  seller = await sellers.seller(900);
  for (const decision of ['reject', 'reject', 'none']) {
    const { id } = (await sellers.request(seller, 100)).body;
    if (decision === 'reject') await sellers.decide(id, 'reject');
    else open = id;
  }
});
afterAll(() => sellers.ledger.close());

const collection = (name: string) => sellers.ledger.database.connection.collection(name);
const account = () => `earnings:${seller.id}:USD`;
const findings = async () => (await sellers.get(VerifyBooks).execute()).findings;
const problems = async () => (await findings()).map(({ problem }) => problem);
const entryAt = (sequence: number) => ({ links: { $elemMatch: { account: account(), sequence } } });

describe('verify, of accounts of money', () => {
  it('finds nothing that nobody touched, and tells what is owed and where it went', async () => {
    const report = await sellers.get(VerifyBooks).execute();
    expect(report.findings).toEqual([]);
    expect(report.platform).toMatchObject({
      ...{ 'platform:payouts': 100, 'platform:payouts USD': -300, 'earnings USD': 300 },
    });
  });

  it('names the account and both amounts when a balance was changed', async () => {
    await collection('earnings_balances').updateOne({}, { $inc: { settled: 1 } });
    expect(await findings()).toContainEqual(
      expect.objectContaining({ account: account(), expected: 300, found: 301 }),
    );
  });

  it('sees that an entry was changed in its money alone', async () => {
    await collection('journal_entries').updateOne(entryAt(3), {
      $set: { 'postings.2.amount': -1, 'postings.3.amount': 1 },
    });
    expect(await problems()).toContain('its hash is not of what it says');
    expect(await problems()).toContain('the settled balance is not the sum of the entries');
  });

  it('sees that an entry is not in balance in one asset', async () => {
    await collection('journal_entries').updateOne(entryAt(3), { $set: { 'postings.3.amount': 299 } });
    expect(await problems()).toContain('its postings do not sum to zero');
  });

  it('sees that an account is missing, also when nothing was in it', async () => {
    await sellers.decide(open, 'reject');
    await collection('earnings_balances').deleteMany({});
    expect(await findings()).toMatchObject([{ account: account(), problem: 'the account has no balance' }]);
  });

  it('sees entries behind the end of an account', async () => {
    const before = await collection('journal_entries').findOne(entryAt(4));
    await collection('earnings_balances').updateOne(
      {},
      { $set: { sequence: 4, settled: 0, lastEntryId: before!._id } },
    );
    expect(await problems()).toContain('entries stand behind the end of its chain');
  });

  it('sees in the self-check that an entry of money alone was changed', async () => {
    await sellers.decide(open, 'approve');
    await sellers.get(ApprovedPayouts).sweep();
    await collection('journal_entries').updateOne(entryAt(6), { $set: { correlationId: 'other' } });
    const found = await sellers.get(VerifyAccount).execute(seller.id, { entries: true });
    expect(found.map(({ problem }) => problem)).toEqual(['its hash is not of what it says']);
  });

  it('sees that the newest entry is missing', async () => {
    await collection('journal_entries').deleteOne(entryAt(5));
    expect(await problems()).toContain('the account ends with another entry');
  });
});
