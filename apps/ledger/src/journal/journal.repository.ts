import { Injectable } from '@nestjs/common';
import type mongoose from 'mongoose';
import { newId, type Context, type Id } from '@atelier/kernel';
import { currentSession, Database, duplicateKeyFields } from '@atelier/persistence';
import { AccountTurns } from '../accounts/account-turns.js';
import { EarningsRepository, type EarningsMovement } from '../earnings/earnings.repository.js';
import {
  assertBalanced,
  CHAIN_START,
  earningsPostings,
  userAccount,
  userOf,
  userPostings,
  type ChainLink,
  type Entry,
  type EntryDraft,
} from './entry.domain.js';
import { EntryRows, type EntryRow } from './entry-rows.js';
import { GroupCommit } from './group-commit.js';
import { recordEntry, type Recording } from './record-entry.js';

const PLATFORM = 'platform:';
/** Entries that are read at a time where all are. */
const PAGE_ENTRIES = 1_000;

/** What the platform's accounts get by some entries, per asset, and the last of those entries. */
export interface PlatformTotals {
  readonly amounts: ReadonlyMap<string, number>;
  readonly last: Entry['id'] | undefined;
}

/**
 * The journal. Entries are written by `post`, by the capture of a hold and by a month's turn, all of them through
 * `recordEntry` and GroupCommit: an entry, the balances that it moves, their statement lines and the facts about them
 * are in the database together or not at all.
 */
@Injectable()
export class JournalRepository {
  constructor(
    private readonly database: Database,
    private readonly group: GroupCommit,
    private readonly turns: AccountTurns,
    private readonly earnings: EarningsRepository,
    private readonly entries: EntryRows,
  ) {}

  /** Posts an entry, once per cause: undefined when the cause has its entry already. */
  async post(draft: EntryDraft, context: Context, now: Date): Promise<Entry | undefined> {
    assertBalanced(draft);
    const users = userPostings(draft).map(({ account }) => userOf(account));
    try {
      if (currentSession()) return await this.join(draft, users, context, now);
      if (earningsPostings(draft).length === 0) return await this.record(draft, users, { context, now });
      return await this.turns.take(users, () =>
        this.database.transaction(() => this.join(draft, users, context, now)),
      );
    } catch (error) {
      // Somebody else posted the same cause at the same time. A consumer's transaction is lost by that; it comes
      // again and finds the entry.
      if (duplicateKeyFields(error)?.includes('causeId') && !currentSession()) return undefined;
      throw error;
    }
  }

  /** In a transaction that has more to do the question comes first: a duplicate key would end it. */
  private async join(draft: EntryDraft, users: readonly Id<'usr'>[], context: Context, now: Date) {
    if (await this.findByCause(draft.causeId)) return undefined;
    const id = newId('jrn');
    const moved: EarningsMovement[] = [];
    for (const posting of earningsPostings(draft)) moved.push(await this.earnings.move(posting, id, now));
    return this.record(draft, users, { id, context, now, earned: await this.linksOf(moved) });
  }

  private record(draft: EntryDraft, users: readonly Id<'usr'>[], recording: Recording): Promise<Entry> {
    return this.group.run({ users, decide: (sheet) => recordEntry(sheet, draft, recording) });
  }

  async findByCause(causeId: string): Promise<Entry | undefined> {
    const row = await this.rows.findOne({ causeId }, { session: currentSession() });
    return row ? toEntry(row) : undefined;
  }

  /** Those of these causes that have their entry. */
  async postedOf(causeIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = this.rows.find({ causeId: { $in: [...causeIds] } }, { projection: { causeId: 1 } });
    return new Set((await rows.toArray()).map(({ causeId }) => causeId));
  }

  /** Every entry in the order of ids. Page after page: a cursor dies while what it named is worked on for long. */
  async *all(): AsyncIterable<Entry> {
    for (let from = '' as Entry['id']; ;) {
      const rows = this.rows.find({ _id: { $gt: from } }).sort({ _id: 1 });
      const page = await rows.limit(PAGE_ENTRIES).toArray();
      yield* page.map(toEntry);
      if (page.length < PAGE_ENTRIES) return;
      from = page.at(-1)!._id;
    }
  }

  /** The entries at these places of a user's chain, `after` excluded, in the order of the chain. */
  ofChain(userId: Id<'usr'>, after: number, to: number): Promise<Entry[]> {
    return this.ofAccountChain(userAccount(userId), after, to);
  }

  /** The same of any account that has a chain. */
  async ofAccountChain(account: ChainLink['account'], after: number, to: number): Promise<Entry[]> {
    const sequence = (row: EntryRow) => row.links.find((link) => link.account === account)!.sequence;
    const links = { $elemMatch: { account, sequence: { $gt: after, $lte: to } } };
    const rows = await this.rows.find({ links }, { session: currentSession() }).toArray();
    return rows.sort((a, b) => sequence(a) - sequence(b)).map(toEntry);
  }

  /** How many entries stand behind that place of an account's chain. */
  countBehind(account: ChainLink['account'], sequence: number): Promise<number> {
    const links = { $elemMatch: { account, sequence: { $gt: sequence } } };
    return this.rows.countDocuments({ links }, { session: currentSession() });
  }

  /** The entries of these accounts between two times, in no order: one after the other, never all in memory. */
  async *ofAccounts(accounts: readonly ChainLink['account'][], from: Date, to: Date): AsyncIterable<Entry> {
    const filter = { 'links.account': { $in: [...accounts] }, createdAt: { $gte: from, $lt: to } };
    for await (const row of this.rows.find(filter)) yield toEntry(row);
  }

  /** When the account's first entry was posted. */
  async beginningOf(account: ChainLink['account']): Promise<Date | undefined> {
    return (await this.rows.findOne({ links: { $elemMatch: { account, sequence: 1 } } }))?.createdAt;
  }

  /** Entries by their ids, in the order of ids. */
  async byIds(ids: readonly string[]): Promise<Entry[]> {
    const rows = this.rows.find({ _id: { $in: [...ids] as Entry['id'][] } }, { session: currentSession() });
    return (await rows.sort({ _id: 1 }).toArray()).map(toEntry);
  }

  /** The entries of one purchase, payment, job or payout (R242), the oldest first. */
  async ofSource(sourceId: string, limit: number): Promise<Entry[]> {
    return (await this.rows.find({ sourceId }).limit(limit).toArray()).map(toEntry);
  }

  /** How many entries have a cause that begins like this, and how many credits they move. */
  async totalsOf(causePrefix: string): Promise<{ readonly entries: number; readonly credits: number }> {
    const [totals] = await this.rows
      .aggregate<{ entries: number; credits: number }>([
        { $match: { causeId: { $gte: causePrefix, $lt: `${causePrefix}\uffff` } } },
        { $unwind: '$postings' },
        { $match: { 'postings.amount': { $gt: 0 } } },
        { $group: { _id: null, entries: { $sum: 1 }, credits: { $sum: '$postings.amount' } } },
      ])
      .toArray();
    return { entries: totals?.entries ?? 0, credits: totals?.credits ?? 0 };
  }

  /** What all accounts of the platform get together by the first of the entries behind that id, up to another. */
  async platformTotals(after: string, to: string, entries: number): Promise<PlatformTotals> {
    const isOfPlatform = { $eq: [{ $substrBytes: ['$postings.account', 0, PLATFORM.length] }, PLATFORM] };
    const totals = this.rows.aggregate<{ _id: string; amount: number; last: Entry['id'] }>(
      [
        { $match: { _id: { $gt: after, $lte: to } } },
        { $sort: { _id: 1 } },
        { $limit: entries },
        { $unwind: '$postings' },
        {
          $group: {
            _id: '$postings.asset',
            amount: { $sum: { $cond: [isOfPlatform, '$postings.amount', 0] } },
            last: { $max: '$_id' },
          },
        },
      ],
      { session: currentSession() },
    );
    const rows = await totals.toArray();
    return {
      amounts: new Map(rows.map(({ _id, amount }) => [_id, amount])),
      last: rows
        .map(({ last }) => last)
        .sort()
        .at(-1),
    };
  }

  /** The entries before, whose hashes these are linked to: their balances are locked, so they are the last. */
  private async linksOf(movements: readonly EarningsMovement[]): Promise<readonly ChainLink[]> {
    const ids = movements.flatMap(({ previousEntryId }) => previousEntryId ?? []);
    const hashes = ids.length > 0 ? await this.entries.hashesOf(ids) : new Map<Entry['id'], string>();
    return movements.map(({ account, sequence, previousEntryId }) => {
      const previousHash = previousEntryId ? hashes.get(previousEntryId) : CHAIN_START;
      if (previousHash === undefined)
        throw new Error(`${account}: its last entry ${previousEntryId} is missing`);
      return { account, sequence, previousHash };
    });
  }

  private get rows(): mongoose.mongo.Collection<EntryRow> {
    return this.entries.collection;
  }
}

const toEntry = ({ _id, ...row }: EntryRow): Entry => ({ id: _id, ...row });
