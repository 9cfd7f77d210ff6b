import { newId, type Context, type DomainEvent, type Id } from '@atelier/kernel';
import { book, factOf, type CreditBalance, type CreditTransaction } from '../accounts/account.domain.js';
import {
  CHAIN_START,
  sealEntry,
  userAccount,
  userOf,
  userPostings,
  type ChainLink,
  type Entry,
  type EntryDraft,
  type UserPosting,
} from './entry.domain.js';
import type { Sheet } from './sheet.js';

/** The hold that an entry captures: what it had set aside, and what is published about the rest of it. */
export interface Capture {
  readonly holdId: Id<'hld'>;
  readonly userId: Id<'usr'>;
  readonly heldCredits: number;
  readonly late: boolean;
  readonly events: readonly DomainEvent[];
}

/** What an entry is recorded with. */
export interface Recording {
  readonly id?: Entry['id'];
  readonly context: Context;
  readonly now: Date;
  readonly capture?: Capture;
  /** The links to accounts of earnings, which the sheet does not have. */
  readonly earned?: readonly ChainLink[];
}

/** Puts an entry on the sheet, with the balances that it moves, their statement lines and the facts about them. */
export function recordEntry(sheet: Sheet, draft: EntryDraft, recording: Recording): Entry {
  const { id = newId('jrn'), context, now, capture, earned = [] } = recording;
  const moves = userPostings(draft).map((posting) => {
    const userId = userOf(posting.account);
    const ofHold = userId === capture?.userId;
    const before = sheet.balance(userId, now);
    const after = book(before, posting, ofHold ? capture.heldCredits : 0, id, now);
    return { posting, ofHold, after, link: linkTo(before) };
  });
  const links = [...moves.map(({ link }) => link), ...earned];
  const entry = sealEntry(draft, { id, links, correlationId: context.correlationId, createdAt: now });
  sheet.entries.push(entry);
  for (const { posting, ofHold, after } of moves) {
    sheet.put({ ...after, lastHash: entry.hash });
    const line = lineOf(entry, posting, after, ofHold ? capture?.holdId : undefined);
    sheet.lines.push(line);
    const isLate = ofHold && (capture?.late ?? false);
    for (const event of [factOf(line, isLate), ...(ofHold ? (capture?.events ?? []) : [])])
      sheet.facts.push({ event, version: after.version, context });
  }
  return entry;
}

/** The account's next place, linked to its newest entry. */
function linkTo({ id, sequence, lastEntryId, lastHash }: CreditBalance): ChainLink {
  const account = userAccount(id);
  if (lastEntryId && !lastHash) throw new Error(`${account}: its last entry ${lastEntryId} is missing`);
  return { account, sequence: sequence + 1, previousHash: lastHash ?? CHAIN_START };
}

function lineOf(
  entry: Entry,
  { type, amount }: UserPosting,
  { id: userId, settled, sequence, updatedAt }: CreditBalance,
  holdId: Id<'hld'> | undefined,
): CreditTransaction {
  return {
    id: newId('crt'),
    userId,
    type,
    amount,
    balanceAfter: settled,
    sourceId: entry.sourceId,
    entryId: entry.id,
    sequence,
    ...(holdId ? { holdId } : {}),
    createdAt: updatedAt,
  };
}
