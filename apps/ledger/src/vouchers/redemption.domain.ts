import { DomainError, type Change, type Id } from '@atelier/kernel';
import { VoucherRedeemed } from '@atelier/contracts/ledger/voucher.events';
import type { REDEMPTION_STATUSES } from '@atelier/contracts/ledger/vouchers.api';
import type { Voucher, VoucherType } from './voucher.domain.js';

/**
 * A use of a voucher, with the voucher's terms as they were then. Invariants:
 * - one per voucher and user (R478);
 * - what was granted is computed once and stored (R479). A percentage can only be computed when its purchase is
 *   known: until then it is `pending`, without a number, and it is finished once. What is granted is never changed
 *   (R480), also not when its person is erased;
 * - a purchase carries one bonus: the oldest that waited when it was paid.
 */
export interface Redemption {
  readonly id: Id<'vrd'>;
  readonly voucherId: Id<'vch'>;
  readonly userId: Id<'usr'>;
  readonly code: string;
  readonly type: VoucherType;
  readonly value: number;
  readonly status: (typeof REDEMPTION_STATUSES)[number];
  readonly creditsGranted: number;
  /** The entry of what was granted (R481). */
  readonly entryId?: Id<'jrn'>;
  /** The purchase that a percentage was computed from. */
  readonly paymentId?: Id<'pay'>;
  readonly version: number;
  readonly redeemedAt: Date;
  readonly grantedAt?: Date;
}

/** The first time somebody uses this voucher. */
export function redeem(
  voucher: Pick<Voucher, 'id' | 'code' | 'type' | 'value'>,
  { id, userId }: Pick<Redemption, 'id' | 'userId'>,
  now: Date,
): Change<Redemption> {
  const { id: voucherId, code, type, value } = voucher;
  const waits = type === 'percentage_bonus';
  const state: Redemption = {
    id,
    voucherId,
    userId,
    code,
    type,
    value,
    status: waits ? 'pending' : 'granted',
    creditsGranted: type === 'fixed_credits' ? value : 0,
    version: 0,
    redeemedAt: now,
    ...(waits ? {} : { grantedAt: now }),
  };
  const { version: _, id: redemptionId, entryId: __, grantedAt: ___, ...told } = state;
  return { state, events: [VoucherRedeemed(id, { ...told, redemptionId, redeemedAt: now.toISOString() })] };
}

/**
 * A waiting percentage after a purchase of this many credits: whole credits, rounded down. Undefined when that
 * makes none; it goes on waiting.
 */
export function grantBonus(
  redemption: Redemption,
  { paymentId, credits }: { readonly paymentId: Id<'pay'>; readonly credits: number },
  now: Date,
): Change<Redemption> | undefined {
  const creditsGranted = Math.floor((credits * redemption.value) / 100);
  if (redemption.status !== 'pending' || creditsGranted === 0) return undefined;
  const state: Redemption = { ...redemption, status: 'granted', creditsGranted, paymentId, grantedAt: now };
  // CreditsGranted tells of it, with the redemption as its source.
  return { state, events: [] };
}

export const alreadyRedeemed = (code: string) =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.voucher.already_redeemed',
    detail: `You have used the voucher ${code} before. Each person can use it once.`,
  });
