import type {
  PaymentFailed,
  PaymentRefunded,
  PaymentSucceeded,
} from '@atelier/contracts/commerce/payment.events';
import type {
  PayoutCanceled,
  PayoutFailed,
  PayoutPaid,
  PayoutRejected,
  PayoutRequested,
} from '@atelier/contracts/ledger/payout.events';
import type {
  TRANSACTION_PROVIDERS,
  TRANSACTION_STATUSES,
  TRANSACTION_TYPES,
} from '@atelier/contracts/ledger/transactions.api';
import { derivedId, type Id, type MoneyWire } from '@atelier/kernel';

/**
 * A person's money statement, as facts tell it. Invariants:
 * - a payment or payout has one line of each type; facts may come in any order and more than once;
 * - pending → completed, failed or canceled, and these are final (SM10);
 * - what a seller is owed: credit − debit − payout, of lines that are neither failed nor canceled.
 */
export type TransactionType = (typeof TRANSACTION_TYPES)[number];
export type TransactionStatus = (typeof TRANSACTION_STATUSES)[number];

export interface Transaction {
  /** Derived from source and type: a statement that is built again has the same ids. */
  readonly id: Id<'txn'>;
  readonly userId: Id<'usr'>;
  readonly type: TransactionType;
  /** Minor units, never negative: the type tells the direction. */
  readonly amount: { readonly amount: number; readonly currency: string };
  readonly creditsAffected: number;
  readonly provider: (typeof TRANSACTION_PROVIDERS)[number];
  readonly providerTransactionId: string | null;
  readonly status: TransactionStatus;
  readonly description: string;
  readonly sourceId: string;
  readonly createdAt: Date;
  /** When it came to its end, whichever it is (R41). */
  readonly completedAt: Date | null;
}

const PURPOSES: Readonly<Record<(typeof PaymentSucceeded.example)['purpose'], string>> = {
  credit_package: 'Credits',
  subscription: 'Subscription',
  agent_subscription: 'Agent subscription',
  order: 'Order',
  listing: 'Listing',
};

interface Line {
  readonly type: TransactionType;
  readonly status: TransactionStatus;
  readonly description: string;
  readonly creditsAffected: number;
  readonly at: string;
}
type Payment = Omit<typeof PaymentSucceeded.example, 'succeededAt'>;

export const paymentSucceeded = (payment: typeof PaymentSucceeded.example): Transaction =>
  ofPayment(payment, {
    ...{ type: 'purchase', status: 'completed', description: PURPOSES[payment.purpose] },
    ...{ creditsAffected: payment.credits ?? 0, at: payment.succeededAt },
  });

export const paymentFailed = (payment: typeof PaymentFailed.example): Transaction =>
  ofPayment(payment, {
    ...{ type: 'purchase', status: 'failed', at: payment.failedAt, creditsAffected: 0 },
    description: `${PURPOSES[payment.purpose]}: ${payment.reason}`,
  });

/** The money is back, and the credits that it bought are taken back. */
export const paymentRefunded = (payment: typeof PaymentRefunded.example): Transaction =>
  ofPayment(payment, {
    ...{ type: 'refund', status: 'completed', at: payment.refundedAt },
    creditsAffected: 0 - (payment.credits ?? 0),
    description: `Refund: ${PURPOSES[payment.purpose]}`,
  });

/** Credits have become money that is owed, and that is on its way. */
export const payoutRequested = (payout: typeof PayoutRequested.example): Transaction[] => [
  ofPayout(payout, {
    ...{ type: 'credit', status: 'completed', description: 'Earnings turned into money' },
    ...{ creditsAffected: -payout.credits, at: payout.requestedAt },
  }),
  ofPayout(payout, {
    ...{ type: 'payout', status: 'pending', description: 'Payout' },
    ...{ creditsAffected: 0, at: payout.requestedAt },
  }),
];

export const payoutPaid = (payout: typeof PayoutPaid.example): Transaction => ({
  ...ofPayout(payout, {
    ...{ type: 'payout', status: 'completed', description: 'Payout' },
    ...{ creditsAffected: 0, at: payout.paidAt },
  }),
  providerTransactionId: payout.providerReference,
});

type Returned = typeof PayoutFailed.example | typeof PayoutRejected.example | typeof PayoutCanceled.example;

/** Nothing was paid, and the money is credits again. */
export function payoutReturned(payout: Returned): Transaction[] {
  const at =
    'failedAt' in payout ? payout.failedAt : 'rejectedAt' in payout ? payout.rejectedAt : payout.canceledAt;
  const description = 'reason' in payout ? `Payout: ${payout.reason}` : 'Payout';
  const status = 'failedAt' in payout ? 'failed' : 'canceled';
  return [
    ofPayout(payout, { type: 'payout', status, description, creditsAffected: 0, at }),
    ofPayout(payout, {
      ...{ type: 'debit', status: 'completed', description: 'Money turned back into credits' },
      ...{ creditsAffected: payout.credits, at },
    }),
  ];
}

function ofPayment(
  { paymentId, userId, amount, provider, providerPaymentId }: Payment,
  line: Line,
): Transaction {
  return {
    ...lineOf(line, paymentId, userId, amount),
    provider,
    providerTransactionId: providerPaymentId,
  };
}

function ofPayout(
  { payoutId, userId, amount, provider, requestedAt }: typeof PayoutRequested.example,
  line: Line,
): Transaction {
  return {
    ...lineOf(line, payoutId, userId, amount),
    // A payout was asked for earlier than it ended; the other lines are the platform's own, at their time (R40).
    ...(line.type === 'payout' ? { createdAt: new Date(requestedAt) } : {}),
    provider: line.type === 'payout' ? provider : 'system',
    providerTransactionId: null,
  };
}

function lineOf(
  { type, status, description, creditsAffected, at }: Line,
  sourceId: string,
  userId: Id<'usr'>,
  { amount, currency }: MoneyWire,
): Omit<Transaction, 'provider' | 'providerTransactionId'> {
  return {
    id: derivedId('txn', `${type}:${sourceId}`, new Date(0)),
    ...{ userId, type, status, description, creditsAffected, sourceId },
    amount: { amount: Number(amount), currency },
    createdAt: new Date(at),
    completedAt: status === 'pending' ? null : new Date(at),
  };
}
