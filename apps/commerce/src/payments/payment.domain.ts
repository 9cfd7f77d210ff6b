import type { PAYMENT_STATUSES } from '@atelier/contracts/commerce/payments.api';
import {
  PaymentDisputed,
  PaymentFailed,
  PaymentRefunded,
  PaymentSucceeded,
  type PAYMENT_PROVIDERS,
  type PAYMENT_PURPOSES,
} from '@atelier/contracts/commerce/payment.events';
import { DomainError, toMoneyWire, type Change, type DomainEvent, type Id } from '@atelier/kernel';
import type { Origin } from '../caller.js';

// A payment is money that a provider takes for us.
// - Only the provider says what became of it: by webhook, or when asked; both ways settle it, and the first wins.
// - It settles once per status; the same news again changes nothing (R251).
// - Credits follow from PaymentSucceeded alone (R252); failed payments are kept too (R250).
// - The provider's amount must be ours, to the minor unit.

export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];
export type ProviderName = (typeof PAYMENT_PROVIDERS)[number];

/** Minor units, as documents keep them. */
export interface Amount {
  readonly amount: number;
  readonly currency: string;
}

export interface Payment {
  readonly id: Id<'pay'>;
  readonly version: number;
  readonly userId: Id<'usr'>;
  readonly purpose: (typeof PAYMENT_PURPOSES)[number];
  readonly amount: Amount;
  readonly provider: ProviderName;
  /** Known when the provider has the checkout. */
  readonly providerPaymentId?: string;
  readonly checkoutUrl?: string;
  readonly status: PaymentStatus;
  readonly creditPackageId?: Id<'pkg'>;
  /** What it grants, bonus included: fixed when the payment begins. */
  readonly credits?: number;
  readonly failureReason?: string;
  /** Set on success only (R197). */
  readonly succeededAt?: Date;
  readonly failedAt?: Date;
  readonly refundedAt?: Date;
  readonly disputedAt?: Date;
  readonly origin: Origin;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a provider says of a payment. */
export interface PaymentOutcome {
  readonly paymentId: string;
  readonly providerPaymentId: string;
  readonly status: Exclude<PaymentStatus, 'pending'>;
  readonly amount: Amount;
  readonly reason?: string | undefined;
}

/** SM34, with disputes. */
export const PAYMENT_TRANSITIONS: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  pending: ['succeeded', 'failed'],
  succeeded: ['refunded', 'disputed'],
  disputed: ['refunded'],
  failed: [],
  refunded: [],
};

/** A payment of the key was once each of these: hearing of them again is no news. */
const PASSED: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  pending: [],
  succeeded: ['succeeded'],
  failed: ['failed'],
  disputed: ['succeeded', 'disputed'],
  refunded: ['succeeded', 'disputed', 'refunded'],
};

export interface PackagePaymentInput {
  readonly id: Id<'pay'>;
  readonly userId: Id<'usr'>;
  readonly provider: ProviderName;
  readonly creditPackage: {
    readonly id: Id<'pkg'>;
    readonly credits: number;
    readonly bonusCredits: number;
    readonly price: Amount;
  };
  readonly origin: Origin;
}

export function startPackagePayment(input: PackagePaymentInput, now: Date): Change<Payment> {
  const { id, userId, provider, creditPackage, origin } = input;
  const state: Payment = {
    id,
    version: 0,
    userId,
    purpose: 'credit_package',
    amount: { ...creditPackage.price },
    provider,
    status: 'pending',
    creditPackageId: creditPackage.id,
    credits: creditPackage.credits + creditPackage.bonusCredits,
    origin,
    createdAt: now,
    updatedAt: now,
  };
  return { state, events: [] };
}

/** Notes where the buyer pays. The webhook may have been faster: the status stays what it is. */
export function attachCheckout(
  payment: Payment,
  checkout: { readonly providerPaymentId: string; readonly checkoutUrl: string },
  now: Date,
): Change<Payment> {
  return { state: { ...payment, ...checkout, updatedAt: now }, events: [] };
}

/**
 * Settles a payment by what its provider says; undefined when that is no news. Throws conflict
 * `commerce.payment.mismatch` when the news is of another sum or payment, conflict `commerce.payment.transition` when
 * it contradicts what is settled, and unavailable `commerce.payment.too_early` for news that overtook the success.
 */
export function settlePayment(
  payment: Payment,
  outcome: PaymentOutcome,
  now: Date,
): Change<Payment> | undefined {
  assertSamePayment(payment, outcome);
  const { status, providerPaymentId } = outcome;
  if (PASSED[payment.status].includes(status)) return undefined;
  if (payment.status === 'pending' && (status === 'refunded' || status === 'disputed'))
    throw new DomainError({
      kind: 'unavailable',
      code: 'commerce.payment.too_early',
      detail: `The payment is pending; that it is ${status} can be told only after its success.`,
    });
  if (!PAYMENT_TRANSITIONS[payment.status].includes(status))
    throw new DomainError({
      kind: 'conflict',
      code: 'commerce.payment.transition',
      detail: `The payment is ${payment.status} and cannot become ${status}.`,
    });
  const moved: Payment = { ...payment, providerPaymentId, status, updatedAt: now };
  return settled[status](moved, outcome.reason ?? 'unknown', now);
}

const settled: Readonly<
  Record<PaymentOutcome['status'], (payment: Payment, reason: string, now: Date) => Change<Payment>>
> = {
  succeeded: (payment, _reason, now) =>
    changed({ ...payment, succeededAt: now }, (facts) =>
      PaymentSucceeded(payment.id, { ...facts, succeededAt: now.toISOString() }),
    ),
  failed: (payment, reason, now) =>
    changed({ ...payment, failedAt: now, failureReason: reason }, (facts) =>
      PaymentFailed(payment.id, { ...facts, reason, failedAt: now.toISOString() }),
    ),
  refunded: (payment, _reason, now) =>
    changed({ ...payment, refundedAt: now }, (facts) =>
      PaymentRefunded(payment.id, { ...facts, refundedAt: now.toISOString() }),
    ),
  disputed: (payment, reason, now) =>
    changed({ ...payment, disputedAt: now }, (facts) =>
      PaymentDisputed(payment.id, { ...facts, reason, disputedAt: now.toISOString() }),
    ),
};

const changed = (
  state: Payment,
  fact: (facts: ReturnType<typeof factsOf>) => DomainEvent,
): Change<Payment> => ({
  state,
  events: [fact(factsOf(state))],
});

function factsOf({
  id,
  userId,
  purpose,
  amount,
  provider,
  providerPaymentId,
  creditPackageId,
  credits,
}: Payment) {
  return {
    ...{ paymentId: id, userId, purpose, provider, providerPaymentId: providerPaymentId ?? '' },
    amount: toMoneyWire(amount),
    ...(creditPackageId ? { creditPackageId } : {}),
    ...(credits === undefined ? {} : { credits }),
  };
}

function assertSamePayment(payment: Payment, { amount, providerPaymentId }: PaymentOutcome): void {
  const sameId = payment.providerPaymentId === undefined || payment.providerPaymentId === providerPaymentId;
  const sameAmount = payment.amount.amount === amount.amount && payment.amount.currency === amount.currency;
  if (sameId && sameAmount) return;
  throw new DomainError({
    kind: 'conflict',
    code: 'commerce.payment.mismatch',
    detail: "The provider's payment or amount is not ours. Nothing was settled; look at both sides.",
  });
}

export const paymentNotFound = () =>
  new DomainError({
    kind: 'not_found',
    code: 'commerce.payment.not_found',
    detail: 'You have no such payment.',
  });
