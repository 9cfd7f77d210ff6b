import { DomainError, type Id } from '@atelier/kernel';
import type { CreditTransactionType } from '@atelier/contracts/ledger/credits.events';
import type { HOLD_STATUSES, PlaceHoldRequest } from '@atelier/contracts/ledger/holds.api';
import { userAccount, type EntryDraft } from '../journal/entry.domain.js';

/**
 * A hold sets credits aside until what they are for is done. Invariants:
 * - it counts against `available` while it is `held`, and at no other time;
 * - it ends once: captured, released or expired, whichever is first;
 * - what is captured is at most what was held; the rest is given back;
 * - a capture that comes after the expiry still stands, because the fact behind it is true; it is `late`, and an
 *   alert. A capture after a release contradicts what the owner of the hold has said, and is refused.
 */
export const HOLD_TRANSITIONS = {
  held: ['captured', 'released', 'expired'],
  expired: ['captured'],
  captured: [],
  released: [],
} as const satisfies Record<HoldStatus, readonly HoldStatus[]>;

export type HoldStatus = (typeof HOLD_STATUSES)[number];
export type ReleaseReason = 'failed' | 'canceled' | 'expired' | 'partly_captured';

export interface Hold {
  readonly id: Id<'hld'>;
  readonly userId: Id<'usr'>;
  readonly amount: number;
  readonly capturedAmount: number;
  readonly status: HoldStatus;
  readonly type: CreditTransactionType;
  readonly sourceId: string;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  /** Of one that was captured late: when its expiry had ended it. */
  readonly expiredAt?: Date | null;
  readonly version: number;
}

/** How a hold is to end. */
export type Settlement = { readonly holdId: Id<'hld'> } & (
  | { readonly end: 'capture'; readonly entry: EntryDraft }
  | {
      readonly end: 'release';
      readonly reason: Exclude<ReleaseReason, 'expired'>;
      /** The fact tells of something that was given up perhaps before its hold was placed: then nothing is to do. */
      readonly mayBeMissing?: boolean;
    }
  | { readonly end: 'expire' }
);

export interface HoldTtl {
  readonly ttlSeconds: number;
  readonly ttlSecondsMax: number;
}

/** A new hold; whether the credits are there is decided where the balance is. */
export function openHold(request: PlaceHoldRequest, ttl: HoldTtl, now: Date): Hold {
  const seconds = Math.min(request.ttlSeconds ?? ttl.ttlSeconds, ttl.ttlSecondsMax);
  return {
    id: request.holdId,
    userId: request.userId,
    amount: request.amount,
    capturedAmount: 0,
    status: 'held',
    type: request.type,
    sourceId: request.sourceId,
    expiresAt: new Date(now.getTime() + seconds * 1000),
    createdAt: now,
    endedAt: null,
    version: 1,
  };
}

/** Whether one repeats the other. Its expiry is not compared: it counts from when it is asked for, and may be extended. */
export const isSameHold = (one: Hold, other: Hold): boolean =>
  SAME_IN_REPEATS.every((field) => one[field] === other[field]);
const SAME_IN_REPEATS = ['id', 'userId', 'amount', 'type', 'sourceId'] as const;

/** The hold with a later expiry, at most `ttlSecondsMax` after it was placed; the same hold when that is no later. */
export function extendHold(hold: Hold, until: Date, { ttlSecondsMax }: Pick<HoldTtl, 'ttlSecondsMax'>): Hold {
  if (hold.status !== 'held') throw holdEnded(hold);
  const latest = hold.createdAt.getTime() + ttlSecondsMax * 1000;
  const expiresAt = new Date(Math.min(until.getTime(), latest));
  return expiresAt > hold.expiresAt ? { ...hold, expiresAt, version: hold.version + 1 } : hold;
}

/** The hold after its settlement; the same hold when the settlement has nothing more to do. */
export function settleHold(hold: Hold, settlement: Settlement, now: Date): Hold {
  const late = hold.status === 'expired' ? { expiredAt: hold.endedAt } : {};
  const end = (status: HoldStatus, capturedAmount = 0): Hold =>
    allows(hold, status)
      ? { ...hold, ...late, status, capturedAmount, endedAt: now, version: hold.version + 1 }
      : hold;
  switch (settlement.end) {
    case 'capture':
      if (hold.status === 'released') throw alreadyReleased(hold);
      return end('captured', captured(hold, settlement.entry));
    case 'release':
      return hold.status === 'held' ? end('released') : hold;
    case 'expire':
      return hold.expiresAt <= now ? end('expired') : hold;
  }
}

/** What a settled hold no longer sets aside: all of it, unless its expiry gave that back before. */
export const heldBy = (hold: Hold): number => (hold.status === 'held' ? hold.amount : 0);

function captured(hold: Hold, { causeId, postings }: EntryDraft): number {
  const payer = postings.find(({ account }) => account === userAccount(hold.userId));
  const amount = -(payer?.amount ?? 0);
  if (amount < 1 || amount > hold.amount) {
    throw new DomainError({
      kind: 'unprocessable',
      code: 'ledger.hold.amount_exceeded',
      detail: `${causeId} takes ${amount} credits of ${hold.userId} from ${hold.id}, which holds ${hold.amount}. Nothing was taken.`,
    });
  }
  return amount;
}

const allows = ({ status }: Hold, next: HoldStatus): boolean =>
  (HOLD_TRANSITIONS[status] as readonly HoldStatus[]).includes(next);

const alreadyReleased = (hold: Hold) =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.hold.released',
    detail: `${hold.id} was released, so it cannot be captured. Find out which of the two its owner means; nothing was taken.`,
  });

const holdEnded = (hold: Hold) =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.hold.ended',
    detail: `${hold.id} is ${hold.status} and sets nothing aside any more. Place a new hold.`,
  });

export const holdNotFound = (holdId: string) =>
  new DomainError({
    kind: 'not_found',
    code: 'ledger.hold.not_found',
    detail: `There is no hold ${holdId}.`,
  });

export const holdIdTaken = (holdId: string) =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.hold.id_taken',
    detail: `${holdId} is a hold of another user, amount, type or source. Choose a new id for a new hold.`,
  });

export const creditsInsufficient = (available: number, held: number, required: number) =>
  new DomainError({
    kind: 'payment_required',
    code: 'ledger.credits.insufficient',
    detail: `This needs ${required} credits and ${available} are available. Buy credits and try again.`,
    extra: { available, held, required },
  });
