import type { Change, Id } from '@atelier/kernel';
import { ReferralCompleted } from '@atelier/contracts/ledger/referral.events';
import type { REFERRAL_STATUSES } from '@atelier/contracts/ledger/referrals.api';

/**
 * One person who was brought by another. Invariants:
 * - one per referee, whoever brought them (R487), and nobody brings themselves;
 * - it is invalid from the start when both registered from the same address (R486), and never pays then;
 * - the referee's first payment completes it, once, and only then the referrer is granted anything (R484, R485).
 */
export const REFERRAL_TRANSITIONS = {
  pending: ['completed', 'invalid'],
  completed: [],
  invalid: [],
} as const satisfies Record<ReferralStatus, readonly ReferralStatus[]>;

export type ReferralStatus = (typeof REFERRAL_STATUSES)[number];

export interface Referral {
  readonly id: Id<'ref'>;
  readonly referrerId: Id<'usr'>;
  readonly refereeId: Id<'usr'>;
  readonly code: string;
  readonly status: ReferralStatus;
  readonly invalidReason?: 'same_address' | 'self_referral';
  readonly creditsGranted: number;
  readonly entryId?: Id<'jrn'>;
  /** Of the referee's address at registration, for the fraud check (R486). */
  readonly ipAddressHash?: string;
  readonly version: number;
  readonly createdAt: Date;
  readonly completedAt?: Date;
}

/**
 * What is known of a person, from facts that come in any order: their own code and where they registered from,
 * the code they came with, and that they have paid.
 */
export interface Person {
  readonly userId: Id<'usr'>;
  readonly ownCode?: string;
  readonly ipAddressHash?: string;
  readonly cameWithCode?: string;
  readonly firstPaymentId?: Id<'pay'>;
}

/** Codes are the same however they are typed. */
export const toReferralCode = (code: string): string => code.trim().toUpperCase();

/** The referral of somebody who came with a code whose owner is known: pending, or invalid at once. */
export function startReferral(
  id: Referral['id'],
  code: string,
  referrer: Person,
  referee: Person,
  now: Date,
): Referral {
  const invalidReason = fraudOf(referrer, referee);
  const { ipAddressHash } = referee;
  return {
    id,
    referrerId: referrer.userId,
    refereeId: referee.userId,
    code,
    status: invalidReason ? 'invalid' : 'pending',
    ...(invalidReason ? { invalidReason } : {}),
    creditsGranted: 0,
    ...(ipAddressHash ? { ipAddressHash } : {}),
    version: 0,
    createdAt: now,
  };
}

/** A referral whose referee has paid; one that has ended stays as it is. */
export function completeReferral(
  referral: Referral,
  grant: { readonly credits: number; readonly entryId?: Id<'jrn'> | undefined },
  now: Date,
): Change<Referral> | undefined {
  if (referral.status !== 'pending') return undefined;
  const { id, referrerId, refereeId } = referral;
  const { credits: creditsGranted, entryId } = grant;
  const link = entryId ? { entryId } : {};
  const state: Referral = { ...referral, status: 'completed', creditsGranted, ...link, completedAt: now };
  const fact = { referralId: id, referrerId, refereeId, creditsGranted, completedAt: now.toISOString() };
  return { state, events: [ReferralCompleted(id, fact)] };
}

function fraudOf(referrer: Person, referee: Person): Referral['invalidReason'] {
  if (referrer.userId === referee.userId) return 'self_referral';
  const same = referee.ipAddressHash !== undefined && referee.ipAddressHash === referrer.ipAddressHash;
  return same ? 'same_address' : undefined;
}
