import { DomainError, type Change, type Id } from '@atelier/kernel';
import {
  AdjustmentApproved,
  AdjustmentRejected,
  AdjustmentRequested,
} from '@atelier/contracts/ledger/adjustment.events';
import type {
  ADJUSTMENT_STATUSES,
  RequestAdjustmentRequest,
} from '@atelier/contracts/ledger/adjustments.api';

/**
 * A change of somebody's credits by hand (R542). Invariants:
 * - two admins: who approves it is neither who asked for it nor whose credits it changes;
 * - what was asked for never changes; it is decided once, and every step is a fact;
 * - taking stops at 0 available credits, unless it was asked for with `allowNegative`.
 */
export const ADJUSTMENT_TRANSITIONS = {
  pending: ['approved', 'rejected'],
  approved: [],
  rejected: [],
} as const satisfies Record<AdjustmentStatus, readonly AdjustmentStatus[]>;

export type AdjustmentStatus = (typeof ADJUSTMENT_STATUSES)[number];

export interface Adjustment {
  readonly id: Id<'adj'>;
  readonly userId: Id<'usr'>;
  /** Positive gives credits, negative takes them. */
  readonly amount: number;
  readonly reason: string;
  readonly allowNegative: boolean;
  readonly status: AdjustmentStatus;
  readonly requestedById: string;
  readonly decidedById?: string;
  readonly rejectionReason?: string;
  readonly entryId?: Id<'jrn'>;
  readonly version: number;
  readonly createdAt: Date;
  readonly decidedAt?: Date;
}

export function requestAdjustment(
  { id, ...request }: RequestAdjustmentRequest & Pick<Adjustment, 'id'>,
  requestedById: string,
  now: Date,
): Change<Adjustment> {
  const state: Adjustment = { id, ...request, status: 'pending', requestedById, version: 0, createdAt: now };
  const fact = AdjustmentRequested(id, { ...factOf(state), requestedAt: now.toISOString() });
  return { state, events: [fact] };
}

/** Throws forbidden `ledger.adjustment.same_person` and conflict `ledger.adjustment.decided`. */
export function assertMayApprove(adjustment: Adjustment, approvedById: string): void {
  if ([adjustment.requestedById, adjustment.userId].includes(approvedById)) throw samePerson();
  assertPending(adjustment);
}

/** The approved adjustment, with the entry that was posted for it. Throws what `assertMayApprove` throws. */
export function approveAdjustment(
  adjustment: Adjustment,
  { approvedById, entryId }: { readonly approvedById: string; readonly entryId: Id<'jrn'> },
  now: Date,
): Change<Adjustment> {
  assertMayApprove(adjustment, approvedById);
  const decision = { decidedById: approvedById, entryId, decidedAt: now };
  const fact = { ...factOf(adjustment), approvedById, entryId, approvedAt: now.toISOString() };
  return {
    state: { ...adjustment, status: 'approved', ...decision },
    events: [AdjustmentApproved(adjustment.id, fact)],
  };
}

/** Any admin may reject one, who asked for it included. Throws conflict `ledger.adjustment.decided`. */
export function rejectAdjustment(
  adjustment: Adjustment,
  { rejectedById, reason }: { readonly rejectedById: string; readonly reason: string },
  now: Date,
): Change<Adjustment> {
  assertPending(adjustment);
  const decision = { decidedById: rejectedById, rejectionReason: reason, decidedAt: now };
  const told = { rejectedById, rejectionReason: reason, rejectedAt: now.toISOString() };
  return {
    state: { ...adjustment, status: 'rejected', ...decision },
    events: [AdjustmentRejected(adjustment.id, { ...factOf(adjustment), ...told })],
  };
}

/**
 * Whether this admin has decided it so since then: a request whose process died after its commit, and which comes
 * again with its key, finds what it did.
 */
export const isDecidedSince = (
  { status, decidedById, decidedAt }: Adjustment,
  to: AdjustmentStatus,
  adminId: string,
  since: Date,
): boolean => status === to && decidedById === adminId && decidedAt !== undefined && decidedAt >= since;

function assertPending({ id, status }: Adjustment): void {
  if (status === 'pending') return;
  throw new DomainError({
    kind: 'conflict',
    code: 'ledger.adjustment.decided',
    detail: `${id} was ${status} already. Ask for another adjustment if this one was wrong.`,
  });
}

const factOf = ({ id, userId, amount, reason, allowNegative, requestedById }: Adjustment) => ({
  adjustmentId: id,
  userId,
  amount,
  reason,
  allowNegative,
  requestedById,
});

const samePerson = () =>
  new DomainError({
    kind: 'forbidden',
    code: 'ledger.adjustment.same_person',
    detail:
      'An adjustment is approved by an admin who neither asked for it nor gets its credits. Ask another one.',
  });

export const adjustmentNotFound = () =>
  new DomainError({
    kind: 'not_found',
    code: 'ledger.adjustment.not_found',
    detail: 'There is no such adjustment.',
  });

export const accountNotFound = (userId: string) =>
  new DomainError({
    kind: 'unprocessable',
    code: 'ledger.adjustment.no_account',
    detail: `${userId} has no credits account. Check the id; a new user's account opens within seconds.`,
    errors: [{ pointer: '/userId', detail: 'has no account' }],
  });

export const overdrawn = ({ userId, amount }: Adjustment, available: number) =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.adjustment.overdrawn',
    detail: `${userId} has ${available} credits available and this takes ${-amount}. Nothing was taken; ask for less, or for one that allows a negative balance.`,
    extra: { available, required: -amount },
  });
