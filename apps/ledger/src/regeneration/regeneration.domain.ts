import type { Id } from '@atelier/kernel';
import type { CreditBalance } from '../accounts/account.domain.js';
import { userAccount, type EntryDraft } from '../journal/entry.domain.js';

/**
 * The monthly regeneration. At a month's turn (UTC) an account loses what it may not keep, and is given what its
 * tier has (R234). Invariants:
 * - each account once per month, by the causes of its entries;
 * - only regenerated credits expire: never what was bought, earned or given as a bonus. Regenerated ones are used
 *   first, so what is left of them stands on the balance, and a refund brings none of them back;
 * - of those the tier's rollover is kept; the rest is an entry of its own, before the grant;
 * - what a hold has set aside does not expire, and an expiry takes no account below zero;
 * - missed months are made up one by one, each with its own expiry and grant, as if each had come in time; what
 *   was used meanwhile counts for the first of them.
 */
export type Tier = CreditBalance['tier'];
/** `2026-12`, in UTC. */
export type Month = `${number}-${number}`;

export interface RegenerationPlan {
  readonly credits: Readonly<Record<Tier, number>>;
  readonly rolloverCreditsMax: Readonly<Record<Tier, number>>;
}

/** What a month's turn does to one account. */
export interface Turn {
  readonly month: Month;
  readonly expired: number;
  readonly granted: number;
}

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

export const isMonth = (text: string): text is Month => MONTH.test(text);
export const monthOf = (at: Date): Month => at.toISOString().slice(0, 7) as Month;
export const startOf = (month: Month): Date => new Date(`${month}-01T00:00:00.000Z`);

/**
 * The months that an account is to be regenerated for, oldest first. None when it has been for `through` or a
 * later one: a clock that jumps back changes nothing. Of more than `monthsMax` the newest are kept.
 */
export function monthsDue(lastRegeneratedAt: Date, through: Month, monthsMax: number): Month[] {
  const months: Month[] = [];
  let month = startOf(through);
  for (; month > lastRegeneratedAt && months.length < monthsMax; month = before(month)) {
    months.unshift(monthOf(month));
  }
  return months;
}
const before = (month: Date) => new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() - 1));

/** What the turns of these months do to an account. */
export function regenerate(
  account: Pick<CreditBalance, 'tier' | 'held' | 'available' | 'perishable'>,
  months: readonly Month[],
  plan: RegenerationPlan,
): Turn[] {
  let { perishable: left, available } = account;
  return months.map((month) => {
    const unused = Math.max(0, Math.min(left - account.held, available));
    const expired = Math.max(0, unused - plan.rolloverCreditsMax[account.tier]);
    const granted = plan.credits[account.tier];
    left += granted - expired;
    available += granted - expired;
    return { month, expired, granted };
  });
}

/** The beginning of the causes of all grants, or all expiries, of a month. */
export const grantCauses = (month: Month): string => `regeneration:${month}:`;
export const expiryCauses = (month: Month): string => `rollover_expiry:${month}:`;

/** The cause of a user's grant of a month, and that of its expiry. */
export const turnCauses = (userId: Id<'usr'>, month: Month): string[] => [
  `${grantCauses(month)}${userId}`,
  `${expiryCauses(month)}${userId}`,
];

/** The entries of a turn, in their order: user → promotions for what expires, promotions → user for the grant. */
export function turnEntries(userId: Id<'usr'>, { month, expired, granted }: Turn): EntryDraft[] {
  const entry = (
    causes: string,
    amount: number,
    type: 'rollover_expiry' | 'earn_regeneration',
  ): EntryDraft => ({
    causeId: `${causes}${userId}`,
    sourceId: `regeneration:${month}:${userId}`,
    postings: [
      { account: 'platform:promotions', asset: 'credits', amount: -amount },
      { account: userAccount(userId), asset: 'credits', amount, type },
    ],
  });
  return [
    ...(expired > 0 ? [entry(expiryCauses(month), -expired, 'rollover_expiry')] : []),
    ...(granted > 0 ? [entry(grantCauses(month), granted, 'earn_regeneration')] : []),
  ];
}
