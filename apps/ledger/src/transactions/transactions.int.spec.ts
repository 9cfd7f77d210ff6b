import { exampleEnvelope, newId, type EventDefinition } from '@atelier/kernel';
import { aService, aUser, aVisitor, recordQueries } from '@atelier/testing';
import { PaymentFailed, PaymentRefunded, PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import {
  PayoutCanceled,
  PayoutFailed,
  PayoutPaid,
  PayoutRejected,
  PayoutRequested,
} from '@atelier/contracts/ledger/payout.events';
import { Sellers } from '../payouts/seller.fixture.js';
import { Transactions } from './transactions.projection.js';

const TRANSACTIONS = '/api/v1/billing/transactions';
let sellers: Sellers;
beforeAll(async () => {
  sellers = await Sellers.start();
});
afterAll(() => sellers.ledger.close());

const list = async (user: ReturnType<typeof aUser>, query = '') =>
  (await sellers.ledger.as(user).get(`${TRANSACTIONS}${query}`)).body;
const told = async (user: ReturnType<typeof aUser>, query = '') =>
  ((await list(user, query)).items as { type: string; status: string; amount: { amount: string } }[]).map(
    ({ type, status, amount }) => `${type} ${status} ${amount.amount}`,
  );
const payment = <Data extends object>(definition: EventDefinition<Data>, user: ReturnType<typeof aUser>) => {
  const paymentId = newId('pay');
  const data = { ...definition.example, userId: user.id, paymentId };
  return exampleEnvelope(definition, data as Data, { subject: paymentId });
};

describe('the money statement', () => {
  it.each([
    [PaymentSucceeded, 'purchase completed 1999'],
    [PaymentFailed, 'purchase failed 1999'],
    [PaymentRefunded, 'refund completed 1999'],
  ] as const)(
    'has one line of a payment, however often it is told (R38, R41): $1.type',
    async (fact, line) => {
      const ada = aUser();
      await sellers.ledger.redeliver(payment(fact as EventDefinition<object>, ada));
      expect(await told(ada)).toEqual([line]);
    },
  );

  it('shows a payment as its client needs it (R39, R40)', async () => {
    const ada = aUser();
    const fact = payment(PaymentSucceeded, ada);
    await sellers.ledger.publish(fact);
    expect((await list(ada)).items).toEqual([
      {
        id: expect.stringMatching(/^txn_/),
        ...{ type: 'purchase', status: 'completed', description: 'Credits', creditsAffected: 500 },
        ...{
          amount: { amount: '1999', currency: 'USD' },
          provider: 'sandbox',
          providerTransactionId: 'sbx_1',
        },
        sourceId: fact.subject,
        createdAt: PaymentSucceeded.example.succeededAt,
        completedAt: PaymentSucceeded.example.succeededAt,
      },
    ]);
  });

  it.each([
    [PayoutPaid, ['credit completed 3000', 'payout completed 3000']],
    [PayoutFailed, ['debit completed 3000', 'credit completed 3000', 'payout failed 3000']],
    [PayoutRejected, ['debit completed 3000', 'credit completed 3000', 'payout canceled 3000']],
    [PayoutCanceled, ['debit completed 3000', 'credit completed 3000', 'payout canceled 3000']],
  ] as const)(
    'follows a payout to its end, also when the end is told first (R41): $0.type',
    async (definition, lines) => {
      const ends = definition as EventDefinition<object>;
      for (const order of ['requested first', 'end first']) {
        const ada = aUser();
        const ids = { payoutId: newId('pyo'), userId: ada.id };
        const facts = [PayoutRequested as EventDefinition<object>, ends].map((fact) =>
          exampleEnvelope(fact, { ...fact.example, ...ids }, { subject: ids.payoutId }),
        );
        const projection = sellers.get(Transactions);
        for (const fact of order === 'end first' ? facts.toReversed() : facts) {
          await projection.handle(fact as never);
          await projection.handle(fact as never);
        }
        expect((await told(ada)).sort()).toEqual([...lines].sort());
      }
    },
  );

  it('is the same when it is built again from its topics', async () => {
    const seller = await sellers.seller(500);
    const { id } = (await sellers.request(seller, 200)).body;
    await sellers.decide(id, 'reject');
    await sellers.ledger.settled();
    const before = (await list(seller)).items;
    expect(before).toHaveLength(3);
    const projection = sellers.get(Transactions);
    await projection.reset();
    const facts = [
      ...(await sellers.ledger.facts(PayoutRequested)),
      ...(await sellers.ledger.facts(PayoutRejected)),
    ];
    for (const fact of facts) await projection.handle(fact);
    expect((await list(seller)).items).toEqual(before);
  });

  it('filters and comes in pages, each by an index', async () => {
    const ada = aUser();
    await sellers.quiet();
    const queries = recordQueries(sellers.ledger.database);
    for (const fact of [PaymentSucceeded, PaymentFailed, PaymentRefunded])
      await sellers.ledger.publish(payment(fact as EventDefinition<object>, ada));
    expect(await told(ada, '?type=refund')).toEqual(['refund completed 1999']);
    expect(await told(ada, '?status=failed')).toEqual(['purchase failed 1999']);
    expect(await told(ada, '?type=purchase&status=completed')).toEqual(['purchase completed 1999']);
    expect(await told(ada, '?from=2026-11-21T08:30:00Z')).toEqual(['refund completed 1999']);
    expect(await told(ada, '?to=2020-01-01T00:00:00Z')).toEqual([]);
    const first = await list(ada, '?limit=2');
    const second = await list(ada, `?limit=2&cursor=${first.nextCursor}`);
    expect(new Set([...first.items, ...second.items].map(({ id }: { id: string }) => id)).size).toBe(3);
    expect(second.nextCursor).toBeNull();
    await queries.expectEveryQueryToUseAnIndex();
  });

  it.each(['type=gift', 'status=done', 'limit=0', 'from=yesterday', 'cursor=nonsense', 'userId=usr_1'])(
    'refuses ?%s',
    async (query) => {
      expect((await sellers.ledger.as(aUser()).get(`${TRANSACTIONS}?${query}`)).status).toBe(400);
    },
  );

  it("is nobody's but one's own", async () => {
    await sellers.ledger.publish(payment(PaymentSucceeded, aUser()));
    expect(await told(aUser())).toEqual([]);
    expect((await sellers.ledger.as(aVisitor).get(TRANSACTIONS)).status).toBe(401);
    expect((await sellers.ledger.as(aService('studio')).get(TRANSACTIONS)).status).toBe(403);
  });
});
