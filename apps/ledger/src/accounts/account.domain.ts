import { DomainError, type DomainEvent, type Id } from '@atelier/kernel';
import {
  CreditsGranted,
  CreditsSpent,
  SPEND_TYPES,
  type CreditTransactionType,
} from '@atelier/contracts/ledger/credits.events';
import { TIERS } from '@atelier/contracts/ledger/accounts.api';

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
  /** What is left of regenerated credits: the part of `settled` that may expire at a month's turn. */
  readonly perishable: number;
  /** What sales have brought, less what refunds took back. */
  readonly soldCredits: number;
  /** What payouts have taken, less what came back. */
  readonly paidOutCredits: number;
  /** How many entries the account has, and the newest: the head of its chain. */
  readonly sequence: number;
  readonly lastEntryId: Id<'jrn'> | null;
  /** The hash of that entry, which the next one is linked to; null when it has to be read from the entry. */
  readonly lastHash: string | null;
  /** Since when nothing new begins here: the person was deleted (R232). */
  readonly erasedAt?: Date;
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

/** What is counted along the lines of a statement, so that nobody has to add up an account's whole history. */
export type Counts = Pick<CreditBalance, 'perishable' | 'soldCredits' | 'paidOutCredits'>;

export const NOTHING_COUNTED: Counts = { perishable: 0, soldCredits: 0, paidOutCredits: 0 };

/** An empty account that is in no database yet. */
export const openAccount = (id: Id<'usr'>, now: Date): CreditBalance => ({
  id,
  ...{ settled: 0, held: 0, available: 0 },
  ...{ tier: TIERS[0], lastRegeneratedAt: now, ...NOTHING_COUNTED },
  ...{ sequence: 0, lastEntryId: null, lastHash: null, version: 0, createdAt: now, updatedAt: now },
});

/** The balance with so many credits set aside; undefined when they are not available (R236). */
export const setAside = (before: CreditBalance, amount: number, now: Date): CreditBalance | undefined =>
  before.available >= amount ? shift(before, 0, amount, now) : undefined;

/** The balance with what a hold set aside given back. */
export const giveBack = (before: CreditBalance, amount: number, now: Date): CreditBalance =>
  shift(before, 0, -amount, now);

/** The balance after one more entry, which gives back what its hold had set aside. The entry's hash is not known yet. */
export const book = (
  before: CreditBalance,
  line: Pick<CreditTransaction, 'type' | 'amount'>,
  held: number,
  entryId: Id<'jrn'>,
  now: Date,
): CreditBalance => ({
  ...shift(before, line.amount, -held, now),
  ...{ sequence: before.sequence + 1, lastEntryId: entryId, lastHash: null },
  ...countsAfter(before, line),
});

/** The account after its month's turn, which the next one is counted from. */
export const turned = (before: CreditBalance, lastRegeneratedAt: Date): CreditBalance => ({
  ...before,
  lastRegeneratedAt,
  version: before.version + 1,
});

function shift(before: CreditBalance, settledBy: number, heldBy: number, now: Date): CreditBalance {
  const [settled, held] = [before.settled + settledBy, before.held + heldBy];
  if (held < 0)
    throw new Error(`${before.id} does not hold ${-heldBy} credits: the books and the holds disagree`);
  const updatedAt = before.updatedAt > now ? before.updatedAt : now;
  return { ...before, settled, held, available: settled - held, version: before.version + 1, updatedAt };
}

/** Refuses what would begin in the account of a deleted person. Throws gone `ledger.account.erased`. */
export function assertNotErased({ erasedAt }: CreditBalance): void {
  if (erasedAt) throw accountErased();
}

export const accountErased = () =>
  new DomainError({
    kind: 'gone',
    code: 'ledger.account.erased',
    detail: 'This account was deleted. Its books are kept, and nothing new begins in them.',
  });

/** The counts after one more line of the statement. */
export const countsAfter = (
  { perishable, soldCredits, paidOutCredits }: Counts,
  line: Pick<CreditTransaction, 'type' | 'amount'>,
): Counts => ({
  perishable: perishableAfter(perishable, line),
  soldCredits: soldCredits + (OF_SALES.includes(line.type) ? line.amount : 0),
  paidOutCredits: paidOutCredits - (OF_PAYOUTS.includes(line.type) ? line.amount : 0),
});

/** A sale, and its refund. */
export const OF_SALES: readonly CreditTransactionType[] = ['earn_sale', 'refund_reversal'];
/** A payout, and one that came back. */
export const OF_PAYOUTS: readonly CreditTransactionType[] = ['spend_payout', 'payout_return'];

/** What changes how many regenerated credits are left: a month's turn, and what a person does with credits. */
const OF_PERISHABLE: readonly CreditTransactionType[] = [
  'earn_regeneration',
  'rollover_expiry',
  ...SPEND_TYPES,
  'spend_admin_adjustment',
];

/**
 * What is left of regenerated credits after one more line of the statement. They are used before all others. A
 * refund brings none back: which month's credits a spend had used is forgotten at the turn, and what was bought must
 * never expire.
 */
export const perishableAfter = (
  left: number,
  { type, amount }: Pick<CreditTransaction, 'type' | 'amount'>,
): number => (OF_PERISHABLE.includes(type) ? Math.max(0, left + amount) : left);

/** The fact that a statement line is published as. */
export function factOf(line: CreditTransaction, late: boolean): DomainEvent {
  const { userId, amount, type, sourceId, entryId, balanceAfter, holdId } = line;
  const movement = { userId, amount: Math.abs(amount), type, sourceId, entryId, balanceAfter };
  return amount > 0
    ? CreditsGranted(userId, movement)
    : CreditsSpent(userId, { ...movement, holdId: holdId ?? null, ...(late ? { late } : {}) });
}
