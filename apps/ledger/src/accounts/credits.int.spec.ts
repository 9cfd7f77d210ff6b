import { exampleEnvelope, newId } from '@atelier/kernel';
import { aService, aUser, aVisitor, startService, type ServiceUnderTest } from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';

const ada = aUser();
const TRANSACTIONS = '/api/v1/billing/credit-transactions';
let ledger: ServiceUnderTest;
beforeAll(async () => {
  // No loop reads beside the requests whose reads are counted.
  ledger = await startService(LedgerModule, ledgerConfig, {
    HOLD_SWEEP_INTERVAL_MS: '600000',
    REGENERATION_INTERVAL_MS: '600000',
    SELF_CHECK_INTERVAL_MS: '600000',
  });
  await ledger.publish(exampleEnvelope(UserRegistered, { ...UserRegistered.example, userId: ada.id }));
  for (const credits of [100, 200, 300]) {
    const payment = { ...PaymentSucceeded.example, paymentId: newId('pay'), userId: ada.id, credits };
    await ledger.publish(exampleEnvelope(PaymentSucceeded, payment, { subject: payment.paymentId }));
  }
});
afterAll(() => ledger.close());

const amounts = ({ body }: { body: { items: { amount: number }[] } }) =>
  body.items.map(({ amount }) => amount);

describe('the statement', () => {
  it('lists the newest first, each line with the balance after it (R237, R241)', async () => {
    const { status, body } = await ledger.as(ada).get(TRANSACTIONS);
    expect(status).toBe(200);
    expect(body.items.map((line: Record<string, unknown>) => [line['amount'], line['balanceAfter']])).toEqual(
      [
        [300, 650],
        [200, 350],
        [100, 150],
        [50, 50],
      ],
    );
    expect(Object.keys(body.items[0]).sort()).toEqual([
      'amount',
      'balanceAfter',
      'createdAt',
      'id',
      'sourceId',
      'type',
    ]);
  });

  it('comes in pages that meet without a gap', async () => {
    const first = await ledger.as(ada).get(`${TRANSACTIONS}?limit=3`);
    const second = await ledger
      .as(ada)
      .get(`${TRANSACTIONS}?limit=3&cursor=${String(first.body.nextCursor)}`);
    expect([amounts(first), amounts(second)]).toEqual([[300, 200, 100], [50]]);
    expect(second.body.nextCursor).toBeNull();
    expect(first.headers.get('link')).toContain('rel="next"');
  });

  it('filters by type and by time', async () => {
    expect(amounts(await ledger.as(ada).get(`${TRANSACTIONS}?type=earn_bonus`))).toEqual([50]);
    expect(amounts(await ledger.as(ada).get(`${TRANSACTIONS}?to=2020-01-01T00:00:00Z`))).toEqual([]);
    expect(amounts(await ledger.as(ada).get(`${TRANSACTIONS}?from=2020-01-01T00:00:00Z`))).toHaveLength(4);
  });

  it.each(['type=gift', 'limit=0', 'limit=101', 'from=yesterday', 'cursor=nonsense', 'userId=usr_1'])(
    'refuses ?%s',
    async (query) => {
      expect((await ledger.as(ada).get(`${TRANSACTIONS}?${query}`)).status).toBe(400);
    },
  );

  it('takes several types', async () => {
    const both = `${TRANSACTIONS}?type=earn_bonus&type=earn_purchase&limit=2`;
    const first = await ledger.as(ada).get(both);
    const second = await ledger.as(ada).get(`${both}&cursor=${String(first.body.nextCursor)}`);
    expect([amounts(first), amounts(second)]).toEqual([
      [300, 200],
      [100, 50],
    ]);
    expect(amounts(await ledger.as(ada).get(`${TRANSACTIONS}?type=refund&type=earn_bonus`))).toEqual([50]);
  });

  it('adds up to the balance (R243)', async () => {
    const { body } = await ledger.as(ada).get(TRANSACTIONS);
    const { settled } = (await ledger.as(ada).get('/api/v1/billing/credits')).body as { settled: number };
    expect(amounts({ body }).reduce((sum, amount) => sum + amount, 0)).toBe(settled);
  });

  it('tells what was there at any time (R241)', async () => {
    const { body } = await ledger.as(ada).get(TRANSACTIONS);
    const at = async (time: string) =>
      (await ledger.as(ada).get(`/api/v1/billing/credits?at=${encodeURIComponent(time)}`)).body as object;
    for (const { createdAt, balanceAfter } of body.items as { createdAt: string; balanceAfter: number }[]) {
      const sameTime = (body.items as { createdAt: string }[]).filter((line) => line.createdAt === createdAt);
      if (sameTime.length === 1)
        expect(await at(createdAt)).toEqual({ settled: balanceAfter, at: createdAt });
    }
    expect(await at('2020-01-01T00:00:00Z')).toEqual({ settled: 0, at: '2020-01-01T00:00:00.000Z' });
    expect(await at('2020-01-01T02:00:00+02:00')).toEqual({ settled: 0, at: '2020-01-01T00:00:00.000Z' });
    expect((await ledger.as(ada).get('/api/v1/billing/credits?at=noon')).status).toBe(400);
  });

  it('does not tell what will be there', async () => {
    const { status, body } = await ledger.as(ada).get('/api/v1/billing/credits?at=2999-01-01T00:00:00Z');
    expect([status, body]).toMatchObject([
      400,
      { code: 'ledger.statement.not_yet', errors: [{ pointer: '/at' }] },
    ]);
  });

  it('is asked for with one read of one row, so that no cache can be stale (R556, R241)', async () => {
    const asked: [string, Record<string, unknown>][] = [];
    const client = ledger.database.connection.getClient();
    const note = ({ commandName, command }: { commandName: string; command: Record<string, unknown> }) => {
      const collection = String(command[commandName]);
      if (collection.startsWith('credit_')) asked.push([collection, command]);
    };
    client.on('commandStarted', note);
    await ledger.as(ada).get('/api/v1/billing/credits');
    await ledger.as(ada).get('/api/v1/billing/credits?at=2026-01-01T00:00:00Z');
    client.off('commandStarted', note);
    expect(asked).toMatchObject([
      ['credit_balances', { find: 'credit_balances', filter: { _id: ada.id } }],
      ['credit_transactions', { find: 'credit_transactions', filter: { userId: ada.id }, limit: 1 }],
    ]);
    const [, [, { filter, sort }]] = asked as [
      unknown,
      [string, { filter: object; sort: Map<string, 1 | -1> }],
    ];
    const plan = await ledger.database.connection
      .collection('credit_transactions')
      .find(filter)
      .sort(Object.fromEntries(sort))
      .limit(1)
      .explain();
    expect(JSON.stringify(plan)).toContain('userId_1_createdAt_-1_sequence_-1');
  });

  it('comes as one CSV file, by its query or by what the client accepts, with the same filters', async () => {
    const byQuery = await ledger
      .as(ada)
      .get(`${TRANSACTIONS}?format=csv&type=earn_bonus&type=earn_purchase&limit=1`);
    const byAccept = await ledger.as(ada).get(TRANSACTIONS, { accept: 'Text/CSV' });
    expect(byQuery.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(byQuery.headers.get('content-disposition')).toContain('attachment');
    expect(byAccept.body).toBe(byQuery.body);
    const [head, ...rows] = String(byQuery.body).trimEnd().split('\r\n');
    expect(head).toBe('id,createdAt,type,amount,balanceAfter,sourceId');
    expect(rows.map((row) => row.split(',').slice(2, 5).join(' '))).toEqual([
      'earn_purchase 300 650',
      'earn_purchase 200 350',
      'earn_purchase 100 150',
      'earn_bonus 50 50',
    ]);
    expect((await ledger.as(aVisitor).get(`${TRANSACTIONS}?format=csv`)).status).toBe(401);
    expect((await ledger.as(ada).get(`${TRANSACTIONS}?format=pdf`)).status).toBe(400);
  });

  it("shows nobody's credits but one's own", async () => {
    expect(amounts(await ledger.as(aUser()).get(TRANSACTIONS))).toEqual([]);
    expect((await ledger.as(aUser()).get('/api/v1/billing/credits')).body).toEqual({
      settled: 0,
      held: 0,
      available: 0,
    });
    expect((await ledger.as(aVisitor).get('/api/v1/billing/credits')).status).toBe(401);
    expect((await ledger.as(aService('studio')).get(TRANSACTIONS)).status).toBe(403);
  });
});
