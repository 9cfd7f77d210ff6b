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
  ledger = await startService(LedgerModule, ledgerConfig);
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
