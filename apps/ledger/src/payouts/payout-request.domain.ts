import { DomainError, toMoneyWire, type Change, type DomainEvent, type Id } from '@atelier/kernel';
import {
  PayoutApproved,
  PayoutCanceled,
  PayoutFailed,
  PayoutPaid,
  PayoutRejected,
  PayoutRequested,
} from '@atelier/contracts/ledger/payout.events';
import type { PAYOUT_STATUSES } from '@atelier/contracts/ledger/payout-requests.api';
import type { PayoutMethod } from '../payout-methods/payout-method.domain.js';

/**
 * Money on its way to a seller. Invariants:
 * - a payout ends once: paid, or rejected, canceled or failed, and then the credits are back;
 * - it needs the yes of an admin who is not the seller; after that nobody can take it back;
 * - it is `paying` before its provider is called: whoever finds it so must ask, and never assume;
 * - one payout of a user is open at a time.
 */
export type PayoutStatus = (typeof PAYOUT_STATUSES)[number];

export const PAYOUT_TRANSITIONS: Readonly<Record<PayoutStatus, readonly PayoutStatus[]>> = {
  requested: ['approved', 'rejected', 'canceled'],
  approved: ['paying'],
  paying: ['paid', 'failed'],
  rejected: [],
  canceled: [],
  paid: [],
  failed: [],
};
export const OPEN_STATUSES = ['requested', 'approved', 'paying'] as const satisfies readonly PayoutStatus[];

export interface PayoutRequest {
  readonly id: Id<'pyo'>;
  readonly version: number;
  readonly userId: Id<'usr'>;
  readonly methodId: Id<'pym'>;
  readonly provider: PayoutMethod['provider'];
  /** As the method was when it was requested. */
  readonly providerAccountId: string;
  readonly credits: number;
  readonly amount: { readonly amount: number; readonly currency: string };
  readonly status: PayoutStatus;
  readonly decidedById?: string;
  readonly decidedAt?: Date;
  /** Why it was rejected, or failed. */
  readonly reason?: string;
  readonly providerReference?: string;
  /** Tries in a row that the provider did not answer. */
  readonly tries: number;
  /** When it is to be advanced next; a replica that takes it moves this on. Absent when there is nothing to do. */
  readonly nextAttemptAt?: Date;
  readonly endedAt?: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NewPayout {
  readonly id: Id<'pyo'>;
  readonly method: PayoutMethod;
  readonly credits: number;
  readonly amount: PayoutRequest['amount'];
}

export function requestPayout({ id, method, credits, amount }: NewPayout, now: Date): Change<PayoutRequest> {
  const { userId, provider, providerAccountId } = method;
  const state: PayoutRequest = {
    ...{ id, version: 0, userId, methodId: method.id, provider, providerAccountId, credits, amount },
    ...{ status: 'requested', tries: 0, createdAt: now, updatedAt: now },
  };
  return { state, events: [PayoutRequested(id, factsOf(state))] };
}

/** Throws forbidden `ledger.payout.own` to the seller, conflict `ledger.payout.transition` when it is too late. */
export function approvePayout(payout: PayoutRequest, approvedBy: string, now: Date): Change<PayoutRequest> {
  assertOther(payout, approvedBy);
  const decision = { decidedById: approvedBy, decidedAt: now, nextAttemptAt: now };
  return move(payout, 'approved', decision, now, [
    PayoutApproved(payout.id, { ...factsOf(payout), approvedBy, approvedAt: now.toISOString() }),
  ]);
}

/** Throws as `approvePayout`. */
export function rejectPayout(
  payout: PayoutRequest,
  rejectedBy: string,
  reason: string,
  now: Date,
): Change<PayoutRequest> {
  assertOther(payout, rejectedBy);
  const decision = { decidedById: rejectedBy, decidedAt: now, endedAt: now, reason };
  return move(payout, 'rejected', decision, now, [
    PayoutRejected(payout.id, { ...factsOf(payout), rejectedBy, reason, rejectedAt: now.toISOString() }),
  ]);
}

/** Throws conflict `ledger.payout.transition` when it is too late. */
export function cancelPayout(payout: PayoutRequest, now: Date): Change<PayoutRequest> {
  return move(payout, 'canceled', { endedAt: now }, now, [
    PayoutCanceled(payout.id, { ...factsOf(payout), canceledAt: now.toISOString() }),
  ]);
}

const DECIDED: Readonly<Record<'approve' | 'reject' | 'cancel', readonly PayoutStatus[]>> = {
  // It may be under way already, or ended.
  approve: ['approved', 'paying', 'paid', 'failed'],
  reject: ['rejected'],
  cancel: ['canceled'],
};

/**
 * Whether this person has decided it so since then: a request whose process died after its commit, and which comes
 * again with its key, finds what it did. Who cancels is the seller, and is written down nowhere else.
 */
export function isDecidedSince(
  { status, userId, decidedById = userId, endedAt, decidedAt = endedAt }: PayoutRequest,
  decision: keyof typeof DECIDED,
  deciderId: string,
  since: Date,
): boolean {
  return (
    DECIDED[decision].includes(status) &&
    decidedById === deciderId &&
    decidedAt !== undefined &&
    decidedAt >= since
  );
}

/** To be saved before the provider is called. */
export const beginPaying = (payout: PayoutRequest, now: Date): Change<PayoutRequest> =>
  move(payout, 'paying', {}, now, []);

/** The provider has the order; its result is asked for later. */
export function payoutSent(
  payout: PayoutRequest,
  providerReference: string,
  nextAttemptAt: Date,
  now: Date,
): Change<PayoutRequest> {
  return { state: { ...payout, providerReference, tries: 0, nextAttemptAt, updatedAt: now }, events: [] };
}

/** The provider is still at it. */
export const stillPaying = (
  payout: PayoutRequest,
  nextAttemptAt: Date,
  now: Date,
): Change<PayoutRequest> => ({
  state: { ...payout, tries: 0, nextAttemptAt, updatedAt: now },
  events: [],
});

/** The provider did not answer. It may have heard, so the payout stays as it is and is tried again. */
export const unanswered = (payout: PayoutRequest, nextAttemptAt: Date, now: Date): Change<PayoutRequest> => ({
  state: { ...payout, tries: payout.tries + 1, nextAttemptAt, updatedAt: now },
  events: [],
});

export function payoutPaid(payout: PayoutRequest, now: Date): Change<PayoutRequest> {
  const providerReference = payout.providerReference ?? payout.id;
  return move(payout, 'paid', { endedAt: now }, now, [
    PayoutPaid(payout.id, { ...factsOf(payout), providerReference, paidAt: now.toISOString() }),
  ]);
}

export function payoutFailed(payout: PayoutRequest, reason: string, now: Date): Change<PayoutRequest> {
  return move(payout, 'failed', { endedAt: now, reason }, now, [
    PayoutFailed(payout.id, { ...factsOf(payout), reason, failedAt: now.toISOString() }),
  ]);
}

/** What every fact about a payout tells, and its postings follow from. */
export function factsOf(payout: PayoutRequest): typeof PayoutRequested.example {
  const { id, userId, methodId, provider, credits, amount, createdAt } = payout;
  return {
    ...{ payoutId: id, userId, methodId, provider, credits },
    amount: toMoneyWire(amount),
    requestedAt: createdAt.toISOString(),
  };
}

function move(
  payout: PayoutRequest,
  status: PayoutStatus,
  more: Partial<PayoutRequest>,
  now: Date,
  events: readonly DomainEvent[],
): Change<PayoutRequest> {
  if (!PAYOUT_TRANSITIONS[payout.status].includes(status)) throw wrongTransition(payout, status);
  const { nextAttemptAt, ...rest } = payout;
  const isOpen = (OPEN_STATUSES as readonly PayoutStatus[]).includes(status);
  const next = isOpen && nextAttemptAt ? { nextAttemptAt } : {};
  return { state: { ...rest, ...next, ...more, status, updatedAt: now }, events };
}

function assertOther({ userId }: PayoutRequest, actorId: string): void {
  if (userId !== actorId) return;
  throw new DomainError({
    kind: 'forbidden',
    code: 'ledger.payout.own',
    detail: 'Nobody decides on their own payout. Ask another admin.',
  });
}

const wrongTransition = ({ status }: PayoutRequest, wanted: PayoutStatus) =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.payout.transition',
    detail: `The payout is ${status} and cannot become ${wanted} any more. Read it again.`,
    extra: { status },
  });

export const payoutNotFound = () =>
  new DomainError({ kind: 'not_found', code: 'ledger.payout.not_found', detail: 'There is no such payout.' });

/** 402, as for every spend: what there is, and what is asked for. */
export const payableInsufficient = (payable: number, required: number) =>
  new DomainError({
    kind: 'payment_required',
    code: 'ledger.payout.insufficient',
    detail: `${payable} credits can be paid out now, and ${required} are asked for. Sales count when they are old enough; ask for less, or later.`,
    extra: { payable, required },
  });

export const outOfBounds = (credits: number, creditsMin: number, creditsMax: number) =>
  new DomainError({
    kind: 'unprocessable',
    code: 'ledger.payout.out_of_bounds',
    detail: `A payout takes between ${creditsMin} and ${creditsMax} credits, and not ${credits}.`,
    extra: { creditsMin, creditsMax },
  });

export const payoutOpen = () =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.payout.open',
    detail: 'You have a payout under way. Wait until it has ended, or cancel it.',
  });
