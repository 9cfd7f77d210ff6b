import type { Id } from '@atelier/kernel';
import {
  CreditsGranted,
  CreditsSpent,
  type CreditTransactionType,
} from '@atelier/contracts/ledger/credits.events';
import type { DomainEvent } from '@atelier/kernel';
import type { UserAccount } from '../journal/entry.domain.js';

/**
 * A user's credits. Invariants: `available` = `settled` − `held`; `held` is the sum of the open holds; `settled`
 * is the sum of the account's postings and the `balanceAfter` of its latest statement line.
 */
export const TIERS = ['free', 'basic', 'standard', 'premium'] as const;

export interface CreditBalance {
  /** The user's: one balance per user (R233), and the key that the collection is sharded by. */
  readonly id: Id<'usr'>;
  readonly settled: number;
  readonly held: number;
  readonly available: number;
  readonly tier: (typeof TIERS)[number];
  /** What the monthly regeneration goes by (R235). */
  readonly lastRegeneratedAt: Date;
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

/** The fact that a statement line is published as. */
export function factOf(line: CreditTransaction, late: boolean): DomainEvent {
  const { userId, amount, type, sourceId, entryId, balanceAfter, holdId } = line;
  const movement = { userId, amount: Math.abs(amount), type, sourceId, entryId, balanceAfter };
  return amount > 0
    ? CreditsGranted(userId, movement)
    : CreditsSpent(userId, { ...movement, holdId: holdId ?? null, ...(late ? { late } : {}) });
}
