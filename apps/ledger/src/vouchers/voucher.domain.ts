import { DomainError, type Change, type Id } from '@atelier/kernel';
import { VoucherCreated, VoucherUpdated } from '@atelier/contracts/ledger/voucher.events';
import type {
  CreateVoucherRequest,
  VOUCHER_STATUSES,
  VOUCHER_TYPES,
} from '@atelier/contracts/ledger/vouchers.api';

/**
 * A voucher. Invariants:
 * - its code is upper-cased, trimmed and unique (R473);
 * - `currentUses` is the number of its redemptions and never more than `maxUses` (R474); the use that reaches
 *   `maxUses` makes it `depleted` in the same write, so an active voucher always has a use left;
 * - past `expiresAt` it is expired, whether the sweep has written that down yet or not (R472).
 */
export const VOUCHER_TRANSITIONS = {
  active: ['inactive', 'expired', 'depleted'],
  inactive: ['active'],
  expired: [],
  depleted: [],
} as const satisfies Record<VoucherStatus, readonly VoucherStatus[]>;

export type VoucherStatus = (typeof VOUCHER_STATUSES)[number];
export type VoucherType = (typeof VOUCHER_TYPES)[number];

export interface Voucher {
  readonly id: Id<'vch'>;
  readonly code: string;
  readonly type: VoucherType;
  /** Credits, percent or days, by type (R471). */
  readonly value: number;
  /** Null: any number of people may use it (R474). */
  readonly maxUses: number | null;
  readonly currentUses: number;
  readonly expiresAt: Date | null;
  readonly status: VoucherStatus;
  /** Of what campaign it is (R475). */
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
  readonly createdById: string;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A new voucher, active at once. Throws invalid `ledger.voucher.already_over` when its time is over already. */
export function createVoucher(
  { id, ...request }: CreateVoucherRequest & Pick<Voucher, 'id'>,
  actorId: string,
  now: Date,
): Change<Voucher> {
  const { code, type, value, maxUses = null, metadata = {} } = request;
  const expiresAt = request.expiresAt === undefined ? null : new Date(request.expiresAt);
  if (expiresAt && expiresAt <= now) throw alreadyOver();
  const terms = { code, type, value, maxUses, expiresAt, metadata };
  const times = { createdById: actorId, version: 0, createdAt: now, updatedAt: now };
  const state: Voucher = { id, ...terms, currentUses: 0, status: 'active', ...times };
  return { state, events: [VoucherCreated(id, factOf(state, actorId))] };
}

/** Turns a voucher off or on; one that is so already stays as it is. Throws what `assertUsable` would otherwise. */
export function switchVoucher(
  voucher: Voucher,
  to: 'active' | 'inactive',
  actorId: string,
  now: Date,
): Change<Voucher> | undefined {
  const status = statusAt(voucher, now);
  if (status === to) return undefined;
  const state: Voucher = { ...voucher, status: to, updatedAt: now };
  if (!allows(status, to)) throw unusable({ ...voucher, status });
  if (statusAt(state, now) === 'expired') throw unusable({ ...voucher, status: 'expired' });
  return { state, events: [VoucherUpdated(voucher.id, factOf(state, actorId))] };
}

/** The status that counts: the stored one, unless the time is over and the sweep has not come by yet. */
export function statusAt({ status, expiresAt }: Voucher, now: Date): VoucherStatus {
  return status === 'active' && expiresAt && expiresAt <= now ? 'expired' : status;
}

const allows = (from: VoucherStatus, to: VoucherStatus): boolean =>
  (VOUCHER_TRANSITIONS[from] as readonly VoucherStatus[]).includes(to);

function factOf(voucher: Voucher, actorId: string) {
  const { id: voucherId, code, type, value, maxUses, status, expiresAt } = voucher;
  return {
    voucherId,
    code,
    type,
    value,
    maxUses,
    status,
    expiresAt: expiresAt?.toISOString() ?? null,
    actorId,
  };
}

const REFUSALS = {
  inactive: ['conflict', 'is turned off'],
  expired: ['gone', 'has expired'],
  depleted: ['conflict', 'has been used up'],
} as const;

/** Why a voucher that is not active cannot be used: each reason has a code of its own. */
export function unusable({ code, status }: Pick<Voucher, 'code' | 'status'>): DomainError {
  // An active one that could not be used lost its last use this very moment.
  const reason = status === 'active' ? 'depleted' : status;
  const [kind, words] = REFUSALS[reason];
  return new DomainError({
    kind,
    code: `ledger.voucher.${reason}`,
    detail: `The voucher ${code} ${words}. Nothing was changed.`,
  });
}

export const voucherNotFound = () =>
  new DomainError({
    kind: 'not_found',
    code: 'ledger.voucher.not_found',
    detail: 'There is no such voucher. Check the code for typing errors.',
  });

export const voucherCodeTaken = (code: string) =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.voucher.code_taken',
    detail: `There is a voucher ${code} already. Choose another code.`,
    errors: [{ pointer: '/code', detail: 'belongs to another voucher' }],
  });

const alreadyOver = () =>
  new DomainError({
    kind: 'invalid',
    code: 'ledger.voucher.already_over',
    detail: 'The voucher would have expired before it began. Choose a later time.',
    errors: [{ pointer: '/expiresAt', detail: 'must be in the future' }],
  });
