import { jest } from '@jest/globals';
import { exampleEnvelope, newId, type EventDefinition } from '@atelier/kernel';
import { aService, aUser, aVisitor, eventually, recordQueries } from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import {
  PayoutApproved,
  PayoutCanceled,
  PayoutFailed,
  PayoutPaid,
  PayoutRejected,
  PayoutRequested,
} from '@atelier/contracts/ledger/payout.events';
import { AdvancePayout } from './advance-payout.usecase.js';
import { ApprovedPayouts } from './approved-payouts.job.js';
import { PayoutRequestRepository } from './payout-request.repository.js';
import { PayoutProviders } from './providers/payout-providers.js';
import { closedAccount, Sellers } from './seller.fixture.js';

const PAYOUTS = '/api/v1/billing/payout-requests';
/** Of all tests but those that need another environment. */
let shared: Sellers;
let sellers: Sellers;
beforeAll(async () => {
  shared = await Sellers.start();
});
beforeEach(async () => {
  sellers = shared;
  await sellers.empty();
});
afterEach(async () => {
  if (sellers !== shared) await sellers.ledger.close();
});
afterAll(() => shared.ledger.close());

const sweep = () => sellers.get(ApprovedPayouts).sweep();
const sent = () => sellers.ledger.database.connection.collection('sandbox_transfers').countDocuments();

describe('a payout', () => {
  it('turns matured credits into money, is approved by another person, and paid', async () => {
    const seller = await sellers.seller(500);
    const requested = await sellers.request(seller, 200);
    expect(requested).toMatchObject({
      status: 201,
      body: { credits: 200, amount: { amount: '600', currency: 'USD' }, status: 'requested' },
    });
    const { id } = requested.body;
    expect(await sellers.available(seller)).toBe(300);
    expect(await sellers.earnings()).toEqual([`${seller.id}:USD 600`]);
    await sweep();
    expect(await sent()).toBe(0);
    const admin = aUser('admin');
    expect((await sellers.decide(id, 'approve', admin)).body).toMatchObject({ status: 'approved' });
    await sweep();
    expect(await sellers.payout(seller, id)).toMatchObject({ status: 'paid', endedAt: expect.any(String) });
    expect(await sellers.earnings()).toEqual([`${seller.id}:USD 0`]);
    expect(await sellers.available(seller)).toBe(300);
    expect((await sellers.facts(PayoutRequested)).map(({ data }) => data.payoutId)).toEqual([id]);
    expect((await sellers.facts(PayoutApproved)).map(({ data }) => data.approvedBy)).toEqual([admin.id]);
    expect((await sellers.facts(PayoutPaid)).map(({ subject, version }) => [subject, version])).toEqual([
      [id, expect.any(Number)],
    ]);
    await sellers.expectBooksToBalance();
  });

  it('that fails at the provider gives the credits back, once', async () => {
    const seller = await sellers.seller(500, closedAccount);
    const { body } = await sellers.request(seller, 500);
    await sellers.decide(body.id, 'approve');
    await sweep();
    await sweep();
    expect(await sellers.payout(seller, body.id)).toMatchObject({
      status: 'failed',
      reason: 'account_closed',
    });
    expect(await sellers.available(seller)).toBe(500);
    expect(await sellers.earnings()).toEqual([`${seller.id}:USD 0`]);
    expect(await sellers.facts(PayoutFailed)).toHaveLength(1);
    expect(await sellers.entries('payout_ended:')).toBe(1);
    await sellers.expectBooksToBalance();
  });

  it.each([
    ['rejected', 'reject', PayoutRejected],
    ['canceled', 'cancel', PayoutCanceled],
  ] as const)(
    'that is %s gives the credits back, and cannot be decided again',
    async (status, decision, fact) => {
      const seller = await sellers.seller(500);
      const { id } = (await sellers.request(seller, 300)).body;
      const by = decision === 'cancel' ? seller : aUser('admin');
      expect(await sellers.decide(id, decision, by)).toMatchObject({ status: 200, body: { status } });
      expect(await sellers.available(seller)).toBe(500);
      expect(await sellers.facts(fact as EventDefinition<unknown>)).toHaveLength(1);
      for (const again of ['approve', 'reject'] as const)
        expect((await sellers.decide(id, again)).body).toMatchObject({ code: 'ledger.payout.transition' });
      expect(await sellers.entries('payout_ended:')).toBe(1);
      expect((await sellers.request(seller, 500)).status).toBe(201);
      await sellers.expectBooksToBalance();
    },
  );

  it('is not approved by its seller, nor by somebody who is no admin', async () => {
    const admin = aUser('admin');
    await sellers.sell(admin, 500);
    sellers.clock.pass(14);
    await sellers.method(admin);
    const { id } = (await sellers.request(admin, 100)).body;
    expect(await sellers.decide(id, 'approve', admin)).toMatchObject({
      status: 403,
      body: { code: 'ledger.payout.own' },
    });
    expect((await sellers.decide(id, 'approve', aUser('moderator'))).status).toBe(403);
    expect((await sellers.decide(id, 'reject', aUser())).status).toBe(403);
    expect((await sellers.ledger.as(aUser()).get(`${PAYOUTS}/queue`)).status).toBe(403);
    const { body } = await sellers.ledger.as(aUser('admin')).get(`${PAYOUTS}/queue`);
    expect(body.items.map((item: { id: string }) => item.id)).toEqual([id]);
  });

  it("is nobody's but its seller's", async () => {
    const seller = await sellers.seller(500);
    const { id } = (await sellers.request(seller, 100)).body;
    expect((await sellers.ledger.as(aUser()).get(`${PAYOUTS}/${id}`)).status).toBe(404);
    expect((await sellers.decide(id, 'cancel', aUser())).status).toBe(404);
    expect((await sellers.ledger.as(aUser()).get(PAYOUTS)).body.items).toEqual([]);
    expect((await sellers.ledger.as(seller).get(PAYOUTS)).body.items).toHaveLength(1);
    expect((await sellers.ledger.as(aVisitor).get(PAYOUTS)).status).toBe(401);
    expect((await sellers.ledger.as(aService('studio')).get(PAYOUTS)).status).toBe(403);
  });

  it('with the same key is the same payout, and with another body it is refused', async () => {
    const seller = await sellers.seller(500);
    const key = { 'idempotency-key': newId('key') };
    const first = await sellers.request(seller, 200, key);
    const again = await sellers.request(seller, 200, key);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await sellers.request(seller, 300, key)).status).toBe(422);
    expect(await sellers.available(seller)).toBe(300);
  });

  it('is one at a time, also when ten are requested at once', async () => {
    const seller = await sellers.seller(500);
    const answers = await Promise.all(Array.from({ length: 10 }, () => sellers.request(seller, 100)));
    const codes = answers.map(({ status, body }) => (status === 201 ? 'requested' : body.code)).sort();
    expect(codes).toEqual([...Array<string>(9).fill('ledger.payout.open'), 'requested']);
    expect(await sellers.available(seller)).toBe(400);
    await sellers.expectBooksToBalance();
  });
});

describe('what can be paid out', () => {
  const refusal = (payable: number, required: number) => ({
    status: 402,
    body: { code: 'ledger.payout.insufficient', payable, required },
  });

  it('is what sales brought a fortnight ago', async () => {
    const seller = aUser();
    await sellers.sell(seller, 300);
    await sellers.method(seller);
    sellers.clock.pass(13);
    await sellers.sell(seller, 200);
    expect(await sellers.request(seller, 100)).toMatchObject(refusal(0, 100));
    sellers.clock.pass(1);
    expect(await sellers.request(seller, 301)).toMatchObject(refusal(300, 301));
    expect((await sellers.request(seller, 300)).status).toBe(201);
    expect(await sellers.available(seller)).toBe(200);
  });

  it('is not what was given, nor what was bought', async () => {
    const seller = await sellers.seller(100);
    const bought = { ...PaymentSucceeded.example, paymentId: newId('pay'), userId: seller.id, credits: 900 };
    await sellers.ledger.publish(exampleEnvelope(PaymentSucceeded, bought, { subject: bought.paymentId }));
    const given = { ...UserRegistered.example, userId: seller.id };
    await sellers.ledger.publish(exampleEnvelope(UserRegistered, given, { subject: seller.id }));
    expect(await sellers.available(seller)).toBe(1050);
    expect(await sellers.request(seller, 101)).toMatchObject(refusal(100, 101));
  });

  it('is less what was spent, held, refunded and paid out', async () => {
    const seller = await sellers.seller(500);
    const purchase = await sellers.sell(seller, 200);
    sellers.clock.pass(14);
    const hold = {
      ...{ holdId: newId('hld'), userId: seller.id, amount: 150, type: 'spend_enhancement' },
      sourceId: newId('job'),
    };
    await sellers.ledger.as(aService('studio')).post('/internal/holds', hold);
    expect(await sellers.request(seller, 551)).toMatchObject(refusal(550, 551));
    const { id } = (await sellers.request(seller, 100)).body;
    await sellers.decide(id, 'approve');
    await sweep();
    const refund = { ...PurchaseRefunded.example, ...purchase };
    await sellers.ledger.redeliver(
      exampleEnvelope(PurchaseRefunded, refund, { subject: purchase.purchaseId }),
    );
    // 700 earned, 200 refunded, 100 paid out, 150 held.
    expect(await sellers.request(seller, 251)).toMatchObject(refusal(250, 251));
    expect((await sellers.ledger.as(seller).get('/api/v1/billing/earnings')).body).toMatchObject({
      ...{ maturedCredits: 500, paidOutCredits: 100, payableCredits: 250 },
      payoutCreditsMin: 100,
      ratePerCredit: [
        { amount: '3', currency: 'USD' },
        { amount: '4', currency: 'JPY' },
      ],
    });
  });

  it('is less a refund of a matured sale at once, and not less one of a sale that is not matured', async () => {
    const seller = await sellers.seller(300);
    const matured = await sellers.sell(seller, 200);
    sellers.clock.pass(14);
    const young = await sellers.sell(seller, 70);
    await sellers.sell(seller, 50);
    const earnings = async () => (await sellers.ledger.as(seller).get('/api/v1/billing/earnings')).body;
    expect(await earnings()).toMatchObject({ maturedCredits: 500, maturingCredits: 120 });
    for (const purchase of [matured, young])
      await sellers.ledger.publish(
        exampleEnvelope(
          PurchaseRefunded,
          { ...PurchaseRefunded.example, ...purchase },
          { subject: purchase.purchaseId },
        ),
      );
    expect(await earnings()).toMatchObject({ maturedCredits: 300, maturingCredits: 50 });
    await sellers.expectBooksToBalance();
  });

  it('never exceeds the balance, when a refund and a request race', async () => {
    const seller = aUser();
    const purchase = await sellers.sell(seller, 500);
    sellers.clock.pass(14);
    await sellers.method(seller);
    const refund = { ...PurchaseRefunded.example, ...purchase };
    await Promise.all([
      sellers.request(seller, 500),
      sellers.ledger.publish(exampleEnvelope(PurchaseRefunded, refund, { subject: purchase.purchaseId })),
    ]);
    await sellers.expectBooksToBalance();
    const { body } = await sellers.ledger.as(seller).get(PAYOUTS);
    // Paid out before the refund, the seller owes it; else the request found nothing to pay out.
    expect(await sellers.available(seller)).toBe(body.items.length === 1 ? -500 : 0);
  });

  it('has bounds, a method that is active, and a currency that has a rate', async () => {
    const seller = aUser();
    await sellers.sell(seller, 500);
    sellers.clock.pass(14);
    const code = async (body: object) =>
      (await sellers.ledger.as(seller).post(PAYOUTS, body)).body.code as string;
    expect(await code({ amountCredits: 100, currency: 'USD' })).toBe('ledger.payout_method.none');
    await sellers.method(seller);
    expect(await code({ amountCredits: 99, currency: 'USD' })).toBe('ledger.payout.out_of_bounds');
    expect(await code({ amountCredits: 1_000_001, currency: 'USD' })).toBe('ledger.payout.out_of_bounds');
    expect(await code({ amountCredits: 100, currency: 'EUR' })).toBe('ledger.payout.currency_unknown');
    expect(await code({ amountCredits: 100, currency: 'USD', methodId: newId('pym') })).toBe(
      'ledger.payout_method.not_found',
    );
    expect(await code({ amountCredits: 1.5, currency: 'usd', more: 1 })).toBe('platform.request.invalid');
    expect(await sellers.available(seller)).toBe(500);
  });
});

describe('the worker', () => {
  const provider = () => sellers.get(PayoutProviders).named('sandbox');
  const approved = async () => {
    const seller = await sellers.seller(500);
    const { id } = (await sellers.request(seller, 200)).body;
    await sellers.decide(id, 'approve');
    return { seller, id };
  };

  it('asks again when the provider does not answer, and has it paid once', async () => {
    const { seller, id } = await approved();
    const real = provider().send.bind(provider());
    // The order arrives, the answer is lost.
    const lost = jest.spyOn(provider(), 'send').mockImplementationOnce(async (transfer) => {
      await real(transfer);
      throw new Error('connection reset');
    });
    await sweep();
    lost.mockRestore();
    expect(await sellers.payout(seller, id)).toMatchObject({ status: 'paying' });
    expect(await sellers.earnings()).toEqual([`${seller.id}:USD 600`]);
    await sweep();
    expect(await sellers.payout(seller, id)).toMatchObject({ status: 'paying' });
    sellers.clock.pass(1);
    await sweep();
    expect(await sellers.payout(seller, id)).toMatchObject({ status: 'paid' });
    expect(await sent()).toBe(1);
  });

  it('does not wait for a provider for ever', async () => {
    sellers = await Sellers.start({ PAYOUT_PROVIDER_TIMEOUT_MS: '50' });
    const { seller, id } = await approved();
    const hanging = jest.spyOn(provider(), 'send').mockImplementation(() => new Promise(() => undefined));
    await sweep();
    hanging.mockRestore();
    expect(await sellers.payout(seller, id)).toMatchObject({ status: 'paying', providerReference: null });
  });

  it('goes on with what a dead one left behind, when its lease is over', async () => {
    const { seller, id } = await approved();
    const payouts = sellers.get(PayoutRequestRepository);
    const taken = await payouts.takeDue(sellers.clock.now(), 60_000);
    expect(taken?.id).toBe(id);
    await sweep();
    expect(await sellers.payout(seller, id)).toMatchObject({ status: 'approved' });
    sellers.clock.pass(1);
    await sweep();
    expect(await sellers.payout(seller, id)).toMatchObject({ status: 'paid' });
  });

  it('that was slower than its lease changes nothing, and does not ask the provider again', async () => {
    const { seller, id } = await approved();
    const real = provider().send.bind(provider());
    const send = jest.spyOn(provider(), 'send').mockImplementationOnce(async (transfer) => {
      sellers.clock.pass(1);
      await sweep();
      return real(transfer);
    });
    const lease = (await sellers.get(PayoutRequestRepository).takeDue(sellers.clock.now(), 1))!;
    expect(await sellers.get(AdvancePayout).execute(lease)).toBeUndefined();
    // The slow one's, and that of who went on.
    expect(send).toHaveBeenCalledTimes(2);
    send.mockRestore();
    expect(await sellers.payout(seller, id)).toMatchObject({ status: 'paid' });
    expect(await sent()).toBe(1);
    await sellers.expectBooksToBalance();
  });

  it('shares its work with others: twenty payouts, three at it, each paid once', async () => {
    const all = Array.from({ length: 20 }, () => aUser());
    for (const seller of all) await sellers.sell(seller, 100);
    sellers.clock.pass(14);
    for (const seller of all) {
      await sellers.method(seller);
      const { id } = (await sellers.request(seller, 100)).body;
      await sellers.decide(id, 'approve');
    }
    await Promise.all([sweep(), sweep(), sweep()]);
    while (await sweep());
    expect(await sellers.facts(PayoutPaid)).toHaveLength(20);
    expect([await sent(), await sellers.entries('payout_ended:')]).toEqual([20, 20]);
    await sellers.expectBooksToBalance();
  });

  it('runs by itself, and every query of a payout uses an index', async () => {
    sellers = await Sellers.start({ PAYOUT_SWEEP_INTERVAL_MS: '50' });
    await sellers.quiet();
    const queries = recordQueries(sellers.ledger.database);
    const { seller, id } = await approved();
    await eventually(async () => expect(await sellers.payout(seller, id)).toMatchObject({ status: 'paid' }));
    await sellers.ledger.as(aUser('admin')).get(`${PAYOUTS}/queue?status=paid`);
    await sellers.ledger.as(seller).get(`${PAYOUTS}?limit=1`);
    await queries.expectEveryQueryToUseAnIndex();
  });
});
