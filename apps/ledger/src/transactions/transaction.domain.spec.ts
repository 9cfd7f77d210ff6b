import {
  PAYMENT_PURPOSES,
  PaymentFailed,
  PaymentRefunded,
  PaymentSucceeded,
} from '@atelier/contracts/commerce/payment.events';
import {
  PayoutCanceled,
  PayoutFailed,
  PayoutPaid,
  PayoutRejected,
  PayoutRequested,
} from '@atelier/contracts/ledger/payout.events';
import { TRANSACTION_STATUSES, TRANSACTION_TYPES } from '@atelier/contracts/ledger/transactions.api';
import {
  paymentFailed,
  paymentRefunded,
  paymentSucceeded,
  payoutPaid,
  payoutRequested,
  payoutReturned,
  type Transaction,
} from './transaction.domain.js';

const told = (lines: readonly Transaction[]) =>
  lines.map(
    ({ type, status, amount, creditsAffected, provider }) =>
      `${type} ${status} ${amount.amount} ${amount.currency}, ${creditsAffected} credits, ${provider}`,
  );

describe('a money statement', () => {
  it('tells of payments: what was paid, what failed, and what was given back (R38, R39, R40)', () => {
    const lines = [
      paymentSucceeded(PaymentSucceeded.example),
      paymentFailed(PaymentFailed.example),
      paymentRefunded(PaymentRefunded.example),
    ];
    expect(told(lines)).toEqual([
      'purchase completed 1999 USD, 500 credits, sandbox',
      'purchase failed 1999 USD, 0 credits, sandbox',
      'refund completed 1999 USD, -500 credits, sandbox',
    ]);
    for (const { providerTransactionId } of lines) expect(providerTransactionId).toBe('sbx_1');
  });

  it('tells of payouts: what is owed, what is on its way, and what came back (R38, R40)', () => {
    expect(told(payoutRequested(PayoutRequested.example))).toEqual([
      'credit completed 3000 USD, -1000 credits, system',
      'payout pending 3000 USD, 0 credits, sandbox',
    ]);
    expect(payoutPaid(PayoutPaid.example)).toMatchObject({
      ...{ status: 'completed', providerTransactionId: 'sbx_tr_1' },
      createdAt: new Date(PayoutPaid.example.requestedAt),
    });
    expect(told(payoutReturned(PayoutFailed.example))).toEqual([
      'payout failed 3000 USD, 0 credits, sandbox',
      'debit completed 3000 USD, 1000 credits, system',
    ]);
    for (const fact of [PayoutRejected.example, PayoutCanceled.example])
      expect(payoutReturned(fact)[0]!.status).toBe('canceled');
  });

  it('has a time of completion once a line has ended, and only then (R41)', () => {
    const [, pending] = payoutRequested(PayoutRequested.example);
    expect(pending!.completedAt).toBeNull();
    expect(payoutPaid(PayoutPaid.example).completedAt).toEqual(new Date(PayoutPaid.example.paidAt));
    expect(paymentFailed(PaymentFailed.example).completedAt).toEqual(
      new Date(PaymentFailed.example.failedAt),
    );
  });

  it('uses every type and every status (R38, R41)', () => {
    const all = [
      paymentSucceeded(PaymentSucceeded.example),
      paymentRefunded(PaymentRefunded.example),
      ...payoutRequested(PayoutRequested.example),
      ...payoutReturned(PayoutFailed.example),
      ...payoutReturned(PayoutCanceled.example),
    ];
    expect(new Set(all.map(({ type }) => type))).toEqual(new Set(TRANSACTION_TYPES));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set(TRANSACTION_STATUSES));
  });

  it('describes each purpose of a payment in words', () => {
    const words = PAYMENT_PURPOSES.map(
      (purpose) => paymentSucceeded({ ...PaymentSucceeded.example, purpose }).description,
    );
    expect(new Set(words).size).toBe(PAYMENT_PURPOSES.length);
  });

  it('has the same ids when it is told again', () => {
    const ids = () => payoutRequested(PayoutRequested.example).map(({ id }) => id);
    expect(ids()).toEqual(ids());
    expect(new Set(ids()).size).toBe(2);
    expect(payoutPaid(PayoutPaid.example).id).toBe(ids()[1]);
  });
});
