import { exampleEnvelope, newId, type Id } from '@atelier/kernel';
import { aService, aUser, startService, type ServiceUnderTest } from '@atelier/testing';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import { CreditsGranted, CreditsSpent } from '@atelier/contracts/ledger/credits.events';
import { VerifyBooks } from '../audit/verify-books.usecase.js';
import { ledgerConfig } from '../ledger.config.js';
import { LedgerModule } from '../ledger.module.js';
import { paidBack } from '../promises/facts.fixture.js';

const commerce = aService('commerce');
let ledger: ServiceUnderTest;
beforeAll(async () => {
  ledger = await startService(LedgerModule, ledgerConfig);
});
afterAll(() => ledger.close());

const registered = (userId: Id<'usr'>) =>
  exampleEnvelope(UserRegistered, { ...UserRegistered.example, userId }, { subject: userId });
const paid = (userId: Id<'usr'>, credits: number) => {
  const paymentId = newId('pay');
  return exampleEnvelope(
    PaymentSucceeded,
    { ...PaymentSucceeded.example, paymentId, userId, credits },
    { subject: paymentId },
  );
};
const creditsOf = async (user: ReturnType<typeof aUser>) =>
  (await ledger.as(user).get('/api/v1/billing/credits')).body as unknown;
const statementOf = async (user: ReturnType<typeof aUser>) => {
  const { body } = await ledger.as(user).get('/api/v1/billing/credit-transactions');
  return (body.items as { type: string; amount: number; balanceAfter: number }[]).map(
    ({ type, amount, balanceAfter }) => `${type} ${amount} → ${balanceAfter}`,
  );
};
const rows = (collection: string, filter: Record<string, unknown>) =>
  ledger.database.connection.collection(collection).countDocuments(filter);

async function buy(price: number, fee: number) {
  const [buyer, seller] = [aUser(), aUser()];
  const [purchaseId, holdId] = [newId('pur'), newId('hld')];
  await ledger.publish(paid(buyer.id, 1000));
  const hold = { holdId, userId: buyer.id, amount: price, type: 'spend_marketplace', sourceId: purchaseId };
  expect((await ledger.as(commerce).post('/internal/holds', hold)).status).toBe(201);
  const purchase = {
    ...PurchaseCompleted.example,
    purchaseId,
    holdId,
    buyerId: buyer.id,
    sellerId: seller.id,
    priceCredits: price,
    platformFeeCredits: fee,
    sellerEarningsCredits: price - fee,
  };
  return {
    buyer,
    seller,
    purchase,
    completed: exampleEnvelope(PurchaseCompleted, purchase, { subject: purchaseId }),
  };
}

describe('the journal', () => {
  it('opens one account per user with the starter grant, however often the registration is told (R233)', async () => {
    const user = aUser();
    await ledger.redeliver(registered(user.id));
    await ledger.publish(registered(user.id)); // The same news in another event.
    expect(await creditsOf(user)).toEqual({ settled: 50, held: 0, available: 50 });
    expect(await statementOf(user)).toEqual(['earn_bonus 50 → 50']);
    expect(await rows('credit_balances', { _id: user.id })).toBe(1);
  });

  it('grants what was paid for once, even before the registration has arrived', async () => {
    const user = aUser();
    await ledger.redeliver(paid(user.id, 500));
    await ledger.redeliver(registered(user.id));
    expect(await creditsOf(user)).toEqual({ settled: 550, held: 0, available: 550 });
    expect(await statementOf(user)).toEqual(['earn_bonus 50 → 550', 'earn_purchase 500 → 500']);
  });

  it('leaves credits alone when a payment buys none', async () => {
    const user = aUser();
    const { credits: _, creditPackageId: __, ...order } = PaymentSucceeded.example;
    await ledger.redeliver(
      exampleEnvelope(PaymentSucceeded, { ...order, purpose: 'order', userId: user.id }),
    );
    expect(await statementOf(user)).toEqual([]);
  });

  it('posts a sale once: the buyer pays, the seller and the platform earn, to the credit (R240, R241)', async () => {
    const { buyer, seller, completed, purchase } = await buy(101, 20);
    expect(await creditsOf(buyer)).toEqual({ settled: 1000, held: 101, available: 899 });
    await ledger.redeliver(completed);
    expect(await creditsOf(buyer)).toEqual({ settled: 899, held: 0, available: 899 });
    expect(await creditsOf(seller)).toEqual({ settled: 81, held: 0, available: 81 });
    expect(await statementOf(buyer)).toEqual(['spend_marketplace -101 → 899', 'earn_purchase 1000 → 1000']);
    expect(await statementOf(seller)).toEqual(['earn_sale 81 → 81']);
    const spent = await ledger.facts(CreditsSpent);
    expect(
      spent.filter(({ data }) => data.sourceId === purchase.purchaseId).map(({ data }) => data),
    ).toMatchObject([
      {
        userId: buyer.id,
        amount: 101,
        type: 'spend_marketplace',
        holdId: purchase.holdId,
        balanceAfter: 899,
      },
    ]);
    const earned = await ledger.facts(CreditsGranted);
    expect(earned.filter(({ data }) => data.sourceId === purchase.purchaseId)).toHaveLength(1);
  });

  it('undoes every part of a refunded sale once, and takes a seller who has spent it below zero', async () => {
    const { buyer, seller, completed, purchase } = await buy(100, 20);
    await ledger.publish(completed);
    const holdId = newId('hld');
    const spend = {
      holdId,
      userId: seller.id,
      amount: 80,
      type: 'spend_enhancement',
      sourceId: newId('job'),
    };
    expect((await ledger.as(aService('studio')).post('/internal/holds', spend)).status).toBe(201);
    const refund = { ...PurchaseRefunded.example, ...purchase };
    await ledger.redeliver(
      exampleEnvelope(PurchaseRefunded, refund, { subject: purchase.purchaseId, version: 2 }),
    );
    expect(await creditsOf(buyer)).toEqual({ settled: 1000, held: 0, available: 1000 });
    expect(await creditsOf(seller)).toEqual({ settled: 0, held: 80, available: -80 });
    expect(await statementOf(seller)).toEqual(['refund_reversal -80 → 0', 'earn_sale 80 → 80']);
  });

  it('refuses to refund what was never posted, and keeps the fact as a dead letter', async () => {
    const buyer = aUser();
    const refund = { ...PurchaseRefunded.example, purchaseId: newId('pur'), buyerId: buyer.id };
    await ledger.publish(exampleEnvelope(PurchaseRefunded, refund, { subject: refund.purchaseId }));
    expect(await statementOf(buyer)).toEqual([]);
    expect(await ledger.deadLetters()).toMatchObject([
      {
        consumer: 'ledger.on-purchase-refunded',
        reason: expect.stringContaining(refund.purchaseId) as string,
      },
    ]);
  });

  it('links each statement line to its cause and its entry (R242, R237), and the books add up (R243)', async () => {
    const { completed, purchase } = await buy(100, 20);
    await ledger.publish(completed);
    expect(await rows('credit_transactions', { sourceId: purchase.purchaseId })).toBe(2);
    const report = await ledger.app.get(VerifyBooks, { strict: false }).execute();
    expect(report.findings).toEqual([]);
    expect(report.entries).toBeGreaterThan(5);
  });
});

describe('a payment that is refunded', () => {
  it('takes its credits back once, below zero when they were spent, and the next ones pay it off (R253)', async () => {
    const { buyer, completed } = await buy(900, 0);
    await ledger.publish(completed);
    const payment = paid(buyer.id, 50);
    await ledger.publish(payment);
    const refund = paidBack({ ...payment, data: { ...payment.data, credits: 1_000_000 } });
    await ledger.redeliver(refund);
    await ledger.publish({ ...refund, id: newId('evt') });
    expect((await statementOf(buyer))[0]).toBe('payment_refund -50 → 100');
    const [first] = await ledger.database.connection
      .collection('credit_transactions')
      .find({ userId: buyer.id, sequence: 1 })
      .toArray();
    const whole = { ...payment, subject: first!['sourceId'] as string };
    await ledger.redeliver(
      paidBack({ ...whole, data: { ...payment.data, paymentId: whole.subject as Id<'pay'> } }),
    );
    expect(await creditsOf(buyer)).toEqual({ settled: -900, held: 0, available: -900 });
    await ledger.publish(paid(buyer.id, 950));
    expect(await creditsOf(buyer)).toMatchObject({ available: 50 });
    const spent = (await ledger.facts(CreditsSpent)).filter(({ data }) => data.type === 'payment_refund');
    expect(spent.map(({ data }) => data.amount)).toEqual([50, 1000]);
    expect((await ledger.app.get(VerifyBooks, { strict: false }).execute()).findings).toEqual([]);
  });

  it('that bought no credits takes none, and one that was never posted is a dead letter', async () => {
    const [one, other] = [aUser(), aUser()];
    const order = paid(one.id, 0);
    await ledger.publish(
      paidBack({ ...order, data: { ...order.data, purpose: 'order', credits: undefined } }),
    );
    expect(await statementOf(one)).toEqual([]);
    await ledger.publish(paidBack(paid(other.id, 10)));
    expect(await statementOf(other)).toEqual([]);
    expect(await ledger.deadLetters()).toContainEqual(
      expect.objectContaining({ consumer: 'ledger.on-payment-refunded' }),
    );
  });
});
