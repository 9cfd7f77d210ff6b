import { DomainError, type Change, type Id } from '@atelier/kernel';
import type {
  PAYOUT_METHOD_STATUSES,
  PAYOUT_METHOD_TYPES,
  PayoutAccount,
} from '@atelier/contracts/ledger/payout-methods.api';
import type { PAYOUT_PROVIDERS } from '@atelier/contracts/ledger/payout.events';

/**
 * Where a seller's money goes. Invariants:
 * - of an account only the provider's reference and its last characters are kept;
 * - pending → verified → active, and disabled from each of them, for good (SM11, R44);
 * - `verified` needs the code that was sent to the account; too many wrong ones disable it;
 * - `active` comes by itself, a while after the verification: it is never stored;
 * - one method at most is a user's default (R43), and never a disabled one.
 */
export type PayoutMethodStatus = (typeof PAYOUT_METHOD_STATUSES)[number];

export interface PayoutMethod {
  readonly id: Id<'pym'>;
  readonly version: number;
  readonly userId: Id<'usr'>;
  readonly type: (typeof PAYOUT_METHOD_TYPES)[number];
  readonly provider: (typeof PAYOUT_PROVIDERS)[number];
  readonly providerAccountId: string;
  readonly display: string;
  readonly isDefault: boolean;
  readonly status: Exclude<PayoutMethodStatus, 'active'>;
  readonly wrongCodes: number;
  readonly createdAt: Date;
  readonly verifiedAt?: Date;
  readonly disabledAt?: Date;
}

export interface NewPayoutMethod {
  readonly id: Id<'pym'>;
  readonly userId: Id<'usr'>;
  readonly provider: PayoutMethod['provider'];
  readonly providerAccountId: string;
  readonly account: PayoutAccount;
  readonly isDefault: boolean;
}

export function addPayoutMethod({ account, ...method }: NewPayoutMethod, now: Date): Change<PayoutMethod> {
  const display = displayOf(account);
  const state: PayoutMethod = {
    ...{ ...method, version: 0, type: account.type, display },
    ...{ status: 'pending', wrongCodes: 0, createdAt: now },
  };
  return { state, events: [] };
}

/** Takes the provider's word on a code. Throws conflict `ledger.payout_method.not_pending`. */
export function checkCode(
  method: PayoutMethod,
  isRight: boolean,
  codesMax: number,
  now: Date,
): Change<PayoutMethod> {
  if (method.status !== 'pending') throw notPending(method);
  if (isRight) return { state: { ...method, status: 'verified', verifiedAt: now }, events: [] };
  const wrongCodes = method.wrongCodes + 1;
  const counted = { ...method, wrongCodes };
  return wrongCodes < codesMax ? { state: counted, events: [] } : disablePayoutMethod(counted, now);
}

/**
 * Whether it was verified since then: a request whose process died after its write, and which comes again with its
 * key, finds what it did.
 */
export const isVerifiedSince = ({ status, verifiedAt }: PayoutMethod, since: Date): boolean =>
  status === 'verified' && verifiedAt !== undefined && verifiedAt >= since;

/** A repeat changes nothing. */
export function disablePayoutMethod(method: PayoutMethod, now: Date): Change<PayoutMethod> {
  if (method.status === 'disabled') return { state: method, events: [] };
  return { state: { ...method, status: 'disabled', isDefault: false, disabledAt: now }, events: [] };
}

/** Throws conflict `ledger.payout_method.disabled`. */
export function setDefault(method: PayoutMethod, isDefault: boolean): Change<PayoutMethod> {
  if (isDefault && method.status === 'disabled') throw disabled();
  return { state: { ...method, isDefault }, events: [] };
}

export const activeFrom = ({ verifiedAt }: PayoutMethod, waitSeconds: number): Date | null =>
  verifiedAt ? new Date(verifiedAt.getTime() + waitSeconds * 1_000) : null;

export function statusAt(method: PayoutMethod, waitSeconds: number, now: Date): PayoutMethodStatus {
  const from = activeFrom(method, waitSeconds);
  return method.status === 'verified' && from && from <= now ? 'active' : method.status;
}

/** Throws unprocessable `ledger.payout_method.not_active` unless it may be paid to now. */
export function assertActive(method: PayoutMethod, waitSeconds: number, now: Date): void {
  if (statusAt(method, waitSeconds, now) === 'active') return;
  const from = activeFrom(method, waitSeconds)?.toISOString() ?? null;
  throw new DomainError({
    kind: 'unprocessable',
    code: 'ledger.payout_method.not_active',
    detail:
      method.status === 'verified' && from
        ? `The payout method was verified just now. It may be paid to from ${from} on.`
        : `The payout method is ${method.status}. Verify it, or choose another one.`,
    extra: { status: method.status, activeFrom: from },
  });
}

/** ISO 13616: the check digits of an IBAN. Throws invalid `ledger.payout_method.iban`. */
export function assertAccount(account: PayoutAccount): void {
  if (account.type !== 'bank_account') return;
  const moved = account.iban.slice(4) + account.iban.slice(0, 4);
  const digits = [...moved].map((character) => Number.parseInt(character, 36)).join('');
  if (BigInt(digits) % 97n === 1n) return;
  throw new DomainError({
    kind: 'invalid',
    code: 'ledger.payout_method.iban',
    detail: 'The check digits of the IBAN do not fit. Look for a mistyped character.',
    errors: [{ pointer: '/account/iban', detail: 'is not an IBAN' }],
  });
}

function displayOf(account: PayoutAccount): string {
  if (account.type === 'bank_account') return `•••• ${account.iban.slice(-4)}`;
  if (account.type === 'stripe_express') return `acct_•••• ${account.accountId.slice(-4)}`;
  const [name = '', domain] = account.email.split('@');
  return `${name.slice(0, 1)}•••@${domain}`;
}

export const payoutMethodNotFound = () =>
  new DomainError({
    kind: 'not_found',
    code: 'ledger.payout_method.not_found',
    detail: 'You have no such payout method.',
  });
export const noPayoutMethod = () =>
  new DomainError({
    kind: 'unprocessable',
    code: 'ledger.payout_method.none',
    detail: 'You have no default payout method. Add one, or name the one to pay to.',
  });
export const tooManyPayoutMethods = (max: number, windowDays: number) =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.payout_method.too_many',
    detail: `You have added ${max} payout methods, and more are not taken. One that you delete counts for ${windowDays} days after it was added. Use one that you have, or come back later.`,
  });
export const wrongCode = (left: number) =>
  new DomainError({
    kind: 'unprocessable',
    code: 'ledger.payout_method.wrong_code',
    detail:
      left > 0
        ? `That is not the code that was sent to the account. You can try ${left} more times.`
        : 'That is not the code that was sent to the account. The payout method is disabled; add it again.',
    extra: { triesLeft: left },
  });
const disabled = () =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.payout_method.disabled',
    detail: 'The payout method is disabled. Choose another one.',
  });
const notPending = ({ status }: PayoutMethod) =>
  new DomainError({
    kind: 'conflict',
    code: 'ledger.payout_method.not_pending',
    detail: `The payout method is ${status}; there is nothing to verify.`,
  });
