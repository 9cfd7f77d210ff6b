import { PaymentFailed, PaymentRefunded, PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { newId } from '@atelier/kernel';
import {
  attachCheckout,
  settlePayment,
  startPackagePayment,
  type Payment,
  type PaymentOutcome,
} from './payment.domain.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const started = startPackagePayment(
  {
    ...{
      id: newId('pay'),
      userId: newId('usr'),
      provider: 'sandbox' as const,
      origin: { correlationId: 'req_1' },
    },
    creditPackage: {
      id: newId('pkg'),
      credits: 500,
      bonusCredits: 50,
      price: { amount: 1_999, currency: 'USD' },
    },
  },
  now,
).state;
const pending = attachCheckout(
  started,
  { providerPaymentId: 'sbx_1', checkoutUrl: 'https://pay.example/1' },
  now,
).state;
const outcome = (
  status: PaymentOutcome['status'],
  overrides: Partial<PaymentOutcome> = {},
): PaymentOutcome => ({
  ...{
    paymentId: pending.id,
    providerPaymentId: 'sbx_1',
    status,
    amount: { amount: 1_999, currency: 'USD' },
  },
  ...overrides,
});
const settle = (payment: Payment, ...statuses: PaymentOutcome['status'][]): Payment =>
  statuses.reduce((state, status) => settlePayment(state, outcome(status), now)?.state ?? state, payment);

describe('a payment', () => {
  it('grants its credits, bonus included, only by having succeeded (R252)', () => {
    expect(started).toMatchObject({ status: 'pending', credits: 550 });
    expect(started.succeededAt).toBeUndefined();
    const change = settlePayment(pending, outcome('succeeded'), now)!;
    expect(change.state).toMatchObject({ status: 'succeeded', succeededAt: now });
    expect(change.events[0]!.definition).toBe(PaymentSucceeded);
    expect(change.events[0]!.data).toMatchObject({
      credits: 550,
      amount: { amount: '1999', currency: 'USD' },
    });
  });

  it('keeps a failure and its reason, and has no time of payment then (R250, R197)', () => {
    const change = settlePayment(pending, outcome('failed', { reason: 'card_declined' }), now)!;
    expect(change.state).toMatchObject({ status: 'failed', failureReason: 'card_declined' });
    expect(change.state.succeededAt).toBeUndefined();
    expect(change.events[0]!.definition).toBe(PaymentFailed);
  });

  it('hears the same news twice and changes nothing (R251)', () => {
    for (const status of ['succeeded', 'failed'] as const)
      expect(settlePayment(settle(pending, status), outcome(status), now)).toBeUndefined();
    expect(
      settlePayment(settle(pending, 'succeeded', 'refunded'), outcome('succeeded'), now),
    ).toBeUndefined();
    expect(
      settlePayment(settle(pending, 'succeeded', 'disputed'), outcome('succeeded'), now),
    ).toBeUndefined();
  });

  it('does not take back what is settled', () => {
    for (const [first, second] of [
      ['succeeded', 'failed'],
      ['failed', 'succeeded'],
      ['failed', 'refunded'],
    ] as const)
      expect(() => settlePayment(settle(pending, first), outcome(second), now)).toThrow(
        expect.objectContaining({ code: 'commerce.payment.transition' }),
      );
  });

  it('is refunded after its success, and lets news that overtook the success come again', () => {
    expect(() => settlePayment(pending, outcome('refunded'), now)).toThrow(
      expect.objectContaining({ code: 'commerce.payment.too_early', kind: 'unavailable' }),
    );
    const change = settlePayment(settle(pending, 'succeeded'), outcome('refunded'), now)!;
    expect(change.events[0]!.definition).toBe(PaymentRefunded);
  });

  it('refuses another sum, another currency and another payment', () => {
    for (const wrong of [
      { amount: { amount: 1_998, currency: 'USD' } },
      { amount: { amount: 1_999, currency: 'EUR' } },
      { providerPaymentId: 'sbx_2' },
    ])
      expect(() => settlePayment(pending, outcome('succeeded', wrong), now)).toThrow(
        expect.objectContaining({ code: 'commerce.payment.mismatch' }),
      );
  });

  it('takes the word of a webhook that is faster than the answer to our own call', () => {
    const settled = settlePayment(started, outcome('succeeded'), now)!.state;
    expect(settled).toMatchObject({ status: 'succeeded', providerPaymentId: 'sbx_1' });
    expect(
      attachCheckout(settled, { providerPaymentId: 'sbx_1', checkoutUrl: 'https://x' }, now).state.status,
    ).toBe('succeeded');
  });
});
