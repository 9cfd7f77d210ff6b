import { createHash } from 'node:crypto';
import { DomainError, type Id } from '@atelier/kernel';
import {
  CREDIT_TRANSACTION_TYPES,
  type CreditTransactionType,
} from '@atelier/contracts/ledger/credits.events';

/**
 * The journal. Invariants:
 * - an entry's postings sum to zero per asset, and name each account once per asset;
 * - what a user gets or pays has a type that statements know (R511);
 * - an entry is never changed; a correction is another entry that reverses it;
 * - one cause makes one entry;
 * - for every user's account it touches, an entry holds the account's sequence number and the hash of the entry
 *   before, and its own hash covers both: each account is a chain of its own, so no lock is shared by all.
 */

/** Accounts of the platform. Their balance is never stored: it is the sum of their postings, so none is hot. */
export type PlatformAccount =
  | 'platform:revenue'
  | 'platform:promotions'
  | 'platform:refunds'
  | 'platform:clearing'
  | 'platform:adjustments'
  | 'platform:payouts';
export type UserAccount = `user:${Id<'usr'>}`;
/** An ISO 4217 code. Money is counted in its minor units. */
export type Currency = Uppercase<string>;
/** Money that the platform owes a seller, until it is paid out: an account per currency. */
export type EarningsAccount = `earnings:${Id<'usr'>}:${Currency}`;
export type Asset = 'credits' | Currency;

export interface PlatformPosting {
  readonly account: PlatformAccount;
  readonly asset: Asset;
  /** Positive into the account, negative out of it; a safe integer, never 0. */
  readonly amount: number;
}
export interface UserPosting {
  readonly account: UserAccount;
  readonly asset: 'credits';
  readonly amount: number;
  /** What the user's statement calls it. */
  readonly type: CreditTransactionType;
}
export interface EarningsPosting {
  readonly account: EarningsAccount;
  readonly asset: Currency;
  readonly amount: number;
}
export type Posting = PlatformPosting | UserPosting | EarningsPosting;

/** What a posting rule decides. */
export interface EntryDraft {
  /** What this entry is posted for, and only once: `purchase_completed:pur_…`. */
  readonly causeId: string;
  /** The purchase, payment or job behind it (R242). */
  readonly sourceId: string;
  readonly postings: readonly Posting[];
  /** The entry that this one undoes. */
  readonly reverses?: Id<'jrn'>;
}

/** Where an entry stands in the chain of one user's account: of credits, or of earnings. */
export interface ChainLink {
  readonly account: UserAccount | EarningsAccount;
  /** 1, 2, 3 … per account */
  readonly sequence: number;
  /** The hash of the account's entry before this one; `CHAIN_START` for its first. */
  readonly previousHash: string;
}

export interface Entry extends EntryDraft {
  readonly id: Id<'jrn'>;
  readonly links: readonly ChainLink[];
  readonly correlationId: string;
  readonly createdAt: Date;
  readonly hash: string;
}

export const CHAIN_START = '';

export const userAccount = (userId: Id<'usr'>): UserAccount => `user:${userId}`;
export const userOf = (account: UserAccount): Id<'usr'> => account.slice('user:'.length) as Id<'usr'>;
export const isUserPosting = (posting: Posting): posting is UserPosting =>
  posting.account.startsWith('user:');

export const earningsAccount = (userId: Id<'usr'>, currency: Currency): EarningsAccount =>
  `earnings:${userId}:${currency}`;
export const isEarningsPosting = (posting: Posting): posting is EarningsPosting =>
  posting.account.startsWith('earnings:');

/** The user postings in the order in which their balances are locked: the same for all, so none wait in a circle. */
export const userPostings = (draft: EntryDraft): UserPosting[] =>
  draft.postings.filter(isUserPosting).toSorted(byAccount);
/** The earnings postings, locked behind the user postings and in an order of their own. */
export const earningsPostings = (draft: EntryDraft): EarningsPosting[] =>
  draft.postings.filter(isEarningsPosting).toSorted(byAccount);
const byAccount = (a: Posting, b: Posting) => (a.account < b.account ? -1 : 1);

/** Throws when a draft breaks an invariant of the journal: a fault of a posting rule or of the fact behind it. */
export function assertBalanced({ causeId, postings }: EntryDraft): void {
  const sums = Map.groupBy(postings, ({ asset }) => asset);
  for (const [asset, of] of sums) {
    const sum = of.reduce((total, { amount }) => total + amount, 0);
    if (sum !== 0) throw unbalanced(causeId, `its ${asset} sum to ${sum}, not to 0`);
  }
  const wrong = postings.find(({ amount }) => !Number.isSafeInteger(amount) || amount === 0);
  if (wrong) throw unbalanced(causeId, `${wrong.amount} on ${wrong.account} is no whole amount`);
  // Events and statements are read by their type: one that is not known would make both unreadable.
  const strange = postings.filter(isUserPosting).find(({ type }) => !CREDIT_TRANSACTION_TYPES.includes(type));
  if (strange) throw unbalanced(causeId, `${strange.type} is no type of a movement of credits`);
  const places = new Set(postings.map(({ account, asset }) => `${account} ${asset}`));
  if (places.size !== postings.length || postings.length < 2) {
    throw unbalanced(causeId, 'it needs two or more postings, each on an account of its own');
  }
}

/** Finishes an entry: from here on, changing any part of it shows. */
export function sealEntry(
  draft: EntryDraft,
  head: Pick<Entry, 'id' | 'links' | 'correlationId' | 'createdAt'>,
): Entry {
  const entry = { ...draft, ...head };
  return { ...entry, hash: hashOf(entry) };
}

/** SHA-256 over everything that an entry says, in a fixed order. */
export function hashOf(entry: Omit<Entry, 'hash'>): string {
  const content = [
    entry.id,
    entry.causeId,
    entry.sourceId,
    entry.reverses ?? null,
    entry.correlationId,
    entry.createdAt.toISOString(),
    entry.postings.map((posting) => [
      posting.account,
      posting.asset,
      posting.amount,
      isUserPosting(posting) ? posting.type : null,
    ]),
    entry.links.map(({ account, sequence, previousHash }) => [account, sequence, previousHash]),
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

const unbalanced = (causeId: string, why: string) =>
  new DomainError({
    kind: 'unprocessable',
    code: 'ledger.entry.unbalanced',
    detail: `The entry for ${causeId} cannot be posted: ${why}. Nothing was posted; look at the fact behind it.`,
  });
