import type { Id } from '@atelier/kernel';
import {
  CreditsGranted,
  CreditsSpent,
  type CreditTransactionType,
} from '@atelier/contracts/ledger/credits.events';
import type { DomainEvent } from '@atelier/kernel';
import type { TIERS } from '@atelier/contracts/ledger/accounts.api';
import type { UserAccount } from '../journal/entry.domain.js';

/**
 * A user's credits. Invariants: `available` = `settled` − `held`; `held` is the sum of the open holds; `settled`
 * is the sum of the account's postings and the `balanceAfter` of its latest statement line.
 */
export interface CreditBalance {
  /** The user's: one balance per user (R233), and the key that the collection is sharded by. */
  readonly id: Id<'usr'>;
  readonly settled: number;
  readonly held: number;
  readonly available: number;
  readonly tier: (typeof TIERS)[number];
  /** What the monthly regeneration goes by (R235): the month that the account was last regenerated for. */
  readonly lastRegeneratedAt: Date;
  /** The part of `settled` that was regenerated and may expire, as it was after the entry `perishableSince`. */
  readonly perishable: number;
  readonly perishableSince: number;
  /** How many entries the account has, and the newest: the head of its chain. */
  readonly sequence: number;
  readonly lastEntryId: Id<'jrn'> | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A line of the statement; never changed (R239). */
export interface CreditTransaction {
  readonly id: Id<'crt'>;
  readonly userId: Id<'usr'>;
  readonly type: CreditTransactionType;
  /** Positive came in, negative went out (R240). */
  readonly amount: number;
  readonly balanceAfter: number;
  readonly sourceId: string;
  readonly entryId: Id<'jrn'>;
  /** The place in the account's chain; orders lines of the same millisecond. */
  readonly sequence: number;
  readonly holdId?: Id<'hld'>;
  /** Never before the line before it, even when two machines disagree about the time. */
  readonly createdAt: Date;
}

/** What an entry did to one account. */
export interface Movement {
  readonly account: UserAccount;
  readonly sequence: number;
  readonly previousEntryId: Id<'jrn'> | null;
  readonly balanceAfter: number;
  /** The balance's version after it. */
  readonly version: number;
  readonly at: Date;
}

/** What a person does with credits: of these a month's use is made. A refund gives a use back. */
export const USES = [
  'spend_enhancement',
  'spend_mcp_generation',
  'spend_box_creation',
  'spend_box_usage',
  'spend_marketplace',
  'spend_admin_adjustment',
  'refund',
] as const satisfies readonly CreditTransactionType[];

/** Regenerated credits, as the statement tells of them: which are left, and what was used since the last turn. */
export interface Perishable {
  readonly credits: number;
  readonly since: number;
  readonly used: number;
}
export const NOTHING_PERISHABLE: Perishable = { credits: 0, since: 0, used: 0 };

/** Regenerated credits are used before all others, so what is left of them is what may expire. */
export const perishableLeft = ({ credits, used }: Perishable): number =>
  Math.max(0, credits - Math.max(0, used));

/** The regenerated credits after one more line of the statement. */
export function perishableAfter(before: Perishable, line: PerishableLine): Perishable {
  const { type, amount, sequence } = line;
  if (type === 'earn_regeneration' || type === 'rollover_expiry') {
    return { credits: perishableLeft(before) + amount, since: sequence, used: 0 };
  }
  const isUse = (USES as readonly CreditTransactionType[]).includes(type);
  return isUse ? { ...before, used: before.used - amount } : before;
}
type PerishableLine = Pick<CreditTransaction, 'type' | 'amount' | 'sequence'>;

/** The fact that a statement line is published as. */
export function factOf(line: CreditTransaction, late: boolean): DomainEvent {
  const { userId, amount, type, sourceId, entryId, balanceAfter, holdId } = line;
  const movement = { userId, amount: Math.abs(amount), type, sourceId, entryId, balanceAfter };
  return amount > 0
    ? CreditsGranted(userId, movement)
    : CreditsSpent(userId, { ...movement, holdId: holdId ?? null, ...(late ? { late } : {}) });
}
