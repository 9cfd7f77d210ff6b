import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { newId, type Context, type DomainEvent, type Id } from '@atelier/kernel';
import { currentSession, Database, duplicateKeyFields, Outbox } from '@atelier/persistence';
import { AccountTurns } from '../accounts/account-turns.js';
import { AccountRepository } from '../accounts/account.repository.js';
import { factOf, type CreditTransaction, type Movement } from '../accounts/account.domain.js';
import { StatementRepository } from '../accounts/statement.repository.js';
import { EarningsRepository, type EarningsMovement } from '../earnings/earnings.repository.js';
import {
  assertBalanced,
  CHAIN_START,
  earningsPostings,
  sealEntry,
  userAccount,
  userOf,
  userPostings,
  type ChainLink,
  type Entry,
  type EntryDraft,
  type UserPosting,
} from './entry.domain.js';

type Row = Omit<Entry, 'id'> & { readonly _id: Entry['id'] };

const schema = new mongoose.Schema<Row>(
  {
    _id: { type: String, required: true },
    causeId: { type: String, required: true },
    sourceId: { type: String, required: true },
    postings: { type: [mongoose.Schema.Types.Mixed], required: true },
    reverses: { type: String },
    links: { type: [mongoose.Schema.Types.Mixed], required: true },
    correlationId: { type: String, required: true },
    createdAt: { type: Date, required: true },
    hash: { type: String, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false, id: false },
)
  .index({ causeId: 1 }, { unique: true })
  .index({ 'links.account': 1, 'links.sequence': 1 });

/** The hold that an entry captures: what it had set aside, and what is published about the rest of it. */
export interface Capture {
  readonly holdId: Id<'hld'>;
  readonly userId: Id<'usr'>;
  readonly heldCredits: number;
  readonly late: boolean;
  readonly events: readonly DomainEvent[];
}

/**
 * The journal. `post` is the only write: an entry, the balances that it moves, their statement lines and the
 * facts about them are in the database together or not at all.
 */
@Injectable()
export class JournalRepository {
  private readonly model: mongoose.Model<Row>;

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly accounts: AccountRepository,
    private readonly turns: AccountTurns,
    private readonly statements: StatementRepository,
    private readonly earnings: EarningsRepository,
  ) {
    this.model = database.model<Row>('journal_entries', schema);
  }

  /**
   * Posts an entry, once per cause: undefined when the cause has its entry already. The balances are touched in
   * the order of account ids, so that two entries cannot wait for each other.
   */
  async post(draft: EntryDraft, context: Context, now: Date, capture?: Capture): Promise<Entry | undefined> {
    assertBalanced(draft);
    const users = userPostings(draft).map(({ account }) => userOf(account));
    try {
      return await this.turns.take(users, () =>
        this.database.transaction(async () => {
          // A captured hold has been won by now, and only one can win it: that saves the question.
          if (!capture && (await this.findByCause(draft.causeId))) return undefined;
          return this.write(draft, context, now, capture);
        }),
      );
    } catch (error) {
      // Somebody else posted the same cause at the same time. A consumer's transaction is lost by that; it comes
      // again and finds the entry.
      if (duplicateKeyFields(error)?.includes('causeId') && !currentSession()) return undefined;
      throw error;
    }
  }

  async findByCause(causeId: string): Promise<Entry | undefined> {
    const row = await this.rows.findOne({ causeId }, { session: currentSession() });
    return row ? toEntry(row) : undefined;
  }

  /** Every entry in the order of ids. */
  async *all(): AsyncIterable<Entry> {
    for await (const row of this.rows.find({}).sort({ _id: 1 })) yield toEntry(row);
  }

  /** The entries at these places of a user's chain, `after` excluded, in the order of the chain. */
  ofChain(userId: Id<'usr'>, after: number, to: number): Promise<Entry[]> {
    return this.ofAccountChain(userAccount(userId), after, to);
  }

  /** The same of any account that has a chain. */
  async ofAccountChain(account: ChainLink['account'], after: number, to: number): Promise<Entry[]> {
    const sequence = (row: Row) => row.links.find((link) => link.account === account)!.sequence;
    const links = { $elemMatch: { account, sequence: { $gt: after, $lte: to } } };
    const rows = await this.rows.find({ links }, { session: currentSession() }).toArray();
    return rows.sort((a, b) => sequence(a) - sequence(b)).map(toEntry);
  }

  /** How many entries stand behind that place of a user's chain. */
  countBehind(userId: Id<'usr'>, sequence: number): Promise<number> {
    const links = { $elemMatch: { account: userAccount(userId), sequence: { $gt: sequence } } };
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

  /** What all accounts of the platform have together, per asset. Reads every entry. */
  async platformTotals(): Promise<ReadonlyMap<string, number>> {
    const totals = this.rows.aggregate<{ _id: string; amount: number }>(
      [
        { $unwind: '$postings' },
        { $match: { 'postings.account': { $gte: 'platform:', $lt: 'platform;' } } },
        { $group: { _id: '$postings.asset', amount: { $sum: '$postings.amount' } } },
      ],
      { session: currentSession() },
    );
    return new Map((await totals.toArray()).map(({ _id, amount }) => [_id, amount]));
  }

  private async write(draft: EntryDraft, context: Context, now: Date, capture?: Capture): Promise<Entry> {
    const id = newId('jrn');
    const postings = userPostings(draft);
    const movements: Movement[] = [];
    for (const { account, amount } of postings) {
      const held = capture && account === userAccount(capture.userId) ? capture.heldCredits : 0;
      movements.push(await this.accounts.move(userOf(account), amount, held, id, now));
    }
    const earned: EarningsMovement[] = [];
    for (const posting of earningsPostings(draft)) earned.push(await this.earnings.move(posting, id, now));
    const links = await this.chain([...movements, ...earned]);
    const entry = sealEntry(draft, { id, links, correlationId: context.correlationId, createdAt: now });
    const lines = postings.map((posting, index) => lineOf(entry, posting, movements[index]!, capture));
    await this.rows.insertOne(toRow(entry), { session: currentSession() });
    if (lines.length > 0) await this.statements.append(lines);
    for (const [index, line] of lines.entries()) {
      const ofHold = line.userId === capture?.userId;
      const events = [factOf(line, ofHold && capture.late), ...(ofHold ? capture.events : [])];
      await this.outbox.append(events, movements[index]!.version, context, currentSession()!, now);
    }
    return entry;
  }

  /** The entries before, whose hashes this one is linked to: their balances are locked, so they are the last. */
  private async chain(movements: readonly (Movement | EarningsMovement)[]): Promise<Entry['links']> {
    const ids = movements.flatMap(({ previousEntryId }) => previousEntryId ?? []);
    const rows = ids.length
      ? await this.rows
          .find({ _id: { $in: ids } }, { projection: { hash: 1 }, session: currentSession() })
          .toArray()
      : [];
    const hashes = new Map(rows.map(({ _id, hash }) => [_id, hash]));
    return movements.map(({ account, sequence, previousEntryId }) => {
      const previousHash = previousEntryId ? hashes.get(previousEntryId) : CHAIN_START;
      if (previousHash === undefined)
        throw new Error(`${account}: its last entry ${previousEntryId} is missing`);
      return { account, sequence, previousHash };
    });
  }

  private get rows(): mongoose.mongo.Collection<Row> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Row>;
  }
}

function lineOf(
  entry: Entry,
  posting: UserPosting,
  movement: Movement,
  capture?: Capture,
): CreditTransaction {
  const userId = userOf(posting.account);
  return {
    id: newId('crt'),
    userId,
    type: posting.type,
    amount: posting.amount,
    balanceAfter: movement.balanceAfter,
    sourceId: entry.sourceId,
    entryId: entry.id,
    sequence: movement.sequence,
    ...(userId === capture?.userId ? { holdId: capture.holdId } : {}),
    createdAt: movement.at,
  };
}

const toRow = ({ id, ...entry }: Entry): Row => ({ _id: id, ...entry });
const toEntry = ({ _id, ...row }: Row): Entry => ({ id: _id, ...row });
