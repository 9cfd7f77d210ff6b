import { DomainError, type Id } from '@atelier/kernel';
import type { Counts } from '../accounts/account.domain.js';
import type { Currency, EarningsAccount } from '../journal/entry.domain.js';

/** More currencies than one seller will ever be paid in. */
export const CURRENCIES_MAX = 200;

/**
 * What a seller may have paid out. Sales bring credits, which may be spent at once; a payout turns those of them
 * into money that are matured: their sale is old enough not to be undone any more. Invariants:
 * - `settled` is the sum of the earnings account's postings: the money of payouts that are under way, never below 0;
 * - payouts never take more than matured sales have brought, nor more than there is to be spent;
 * - a credit has one whole price in each currency, so that no rounding is anybody's.
 */
export interface EarningsBalance {
  /** `usr_…:USD` */
  readonly id: string;
  readonly userId: Id<'usr'>;
  readonly currency: Currency;
  readonly settled: number;
  /** How many entries the account has, and the newest: the head of its chain. */
  readonly sequence: number;
  readonly lastEntryId: Id<'jrn'> | null;
  readonly version: number;
  readonly updatedAt: Date;
}

/** Whose account it is, and in what money. */
export function ownerOf(account: EarningsAccount): Pick<EarningsBalance, 'id' | 'userId' | 'currency'> {
  const [, userId, currency] = account.split(':') as [string, Id<'usr'>, Currency];
  return { id: `${userId}:${currency}`, userId, currency };
}

/** Credits of sales, net of refunds, and what payouts have taken. */
export interface Sales {
  readonly maturedCredits: number;
  readonly maturingCredits: number;
  readonly paidOutCredits: number;
}

/** The sales of an account, of which the youngest are not matured yet. */
export const salesOf = (balance: Counts | undefined, maturingCredits: number): Sales => ({
  maturedCredits: (balance?.soldCredits ?? 0) - maturingCredits,
  maturingCredits,
  paidOutCredits: balance?.paidOutCredits ?? 0,
});

const DAY_MS = 86_400_000;

/** Sales up to this time are matured. */
export const maturedUntil = (now: Date, matureDays: number): Date =>
  new Date(now.getTime() - matureDays * DAY_MS);

/** Other credits are spent before those of sales: so what is left of all credits is what counts. */
export const payableCredits = ({ maturedCredits, paidOutCredits }: Sales, availableCredits: number): number =>
  Math.max(0, Math.min(maturedCredits - paidOutCredits, availableCredits));

/** The money that credits are worth. Throws unprocessable `ledger.payout.currency_unknown`. */
export function worthOf(
  credits: number,
  currency: string,
  rates: ReadonlyMap<Currency, number>,
): { readonly amount: number; readonly currency: Currency } {
  const known = [...rates].find(([code]) => code === currency);
  if (known) return { amount: credits * known[1], currency: known[0] };
  const currencies = [...rates.keys()].join(', ');
  throw new DomainError({
    kind: 'unprocessable',
    code: 'ledger.payout.currency_unknown',
    detail: `Nothing is paid out in ${currency}. Choose one of ${currencies}.`,
  });
}
