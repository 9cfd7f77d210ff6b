import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { VersionConflict, type Id } from '@atelier/kernel';
import { aggregateSchema, currentSession, Database, type Stored } from '@atelier/persistence';
import type { ChainLink, EarningsAccount, EarningsPosting } from '../journal/entry.domain.js';
import { CURRENCIES_MAX, ownerOf, type EarningsBalance } from './earnings.domain.js';

/** Accounts that are read at a time where all are. */
const PAGE_ACCOUNTS = 1_000;

const schema = aggregateSchema<EarningsBalance>({
  userId: { type: String, required: true },
  currency: { type: String, required: true },
  settled: { type: Number, required: true },
  sequence: { type: Number, required: true, min: 0 },
  lastEntryId: { type: String },
  updatedAt: { type: Date, required: true },
}).index({ userId: 1, currency: 1 }, { unique: true });

/** What an entry did to an earnings account. */
export type EarningsMovement = Pick<ChainLink, 'account' | 'sequence'> & {
  readonly previousEntryId: Id<'jrn'> | null;
};

/** The earnings accounts: like those of credits, moved only by the journal and in its transaction. */
@Injectable()
export class EarningsRepository {
  private readonly model: mongoose.Model<Stored<EarningsBalance>>;

  constructor(database: Database) {
    this.model = database.model<Stored<EarningsBalance>>('earnings_balances', schema);
  }

  /** Books an entry's amount on the account, and opens it with its first. */
  async move({ account, amount }: EarningsPosting, entryId: Id<'jrn'>, now: Date): Promise<EarningsMovement> {
    const { id, userId, currency } = ownerOf(account);
    const before = await this.rows.findOneAndUpdate(
      { _id: id },
      {
        $inc: { settled: amount, sequence: 1, version: 1 },
        $set: { lastEntryId: entryId },
        $max: { updatedAt: now },
        $setOnInsert: { userId, currency },
      },
      { upsert: true, returnDocument: 'before', session: currentSession() },
    );
    return {
      account,
      sequence: (before?.sequence ?? 0) + 1,
      previousEntryId: before?.lastEntryId ?? null,
    };
  }

  async load(account: EarningsAccount): Promise<EarningsBalance | undefined> {
    const row = await this.rows.findOne({ _id: ownerOf(account).id }, { session: currentSession() });
    return row ? toBalance(row) : undefined;
  }

  /** A user's accounts, in the order of currencies. */
  async ofUser(userId: Id<'usr'>): Promise<EarningsBalance[]> {
    const rows = this.rows.find({ userId }, { session: currentSession() });
    return (await rows.sort({ currency: 1 }).limit(CURRENCIES_MAX).toArray()).map(toBalance);
  }

  /** Accounts behind that id, in the order of ids. */
  async behind(id: string, limit: number): Promise<EarningsBalance[]> {
    const rows = this.rows.find({ _id: { $gt: id } }, { session: currentSession() });
    return (await rows.sort({ _id: 1 }).limit(limit).toArray()).map(toBalance);
  }

  /** Every account in the order of ids. Page after page: a cursor dies while each account is worked on for long. */
  async *all(): AsyncIterable<EarningsBalance> {
    for (let from = ''; ;) {
      const page = await this.behind(from, PAGE_ACCOUNTS);
      yield* page;
      if (page.length < PAGE_ACCOUNTS) return;
      from = page.at(-1)!.id;
    }
  }

  /** Which of these accounts have no balance. */
  async missingOf(accounts: readonly EarningsAccount[]): Promise<EarningsAccount[]> {
    const ids = accounts.map((account) => ownerOf(account).id);
    const rows = this.rows.find({ _id: { $in: ids } }, { projection: { _id: 1 } });
    const known = new Set((await rows.toArray()).map(({ _id }) => _id));
    return accounts.filter((account) => !known.has(ownerOf(account).id));
  }

  /**
   * Puts a recomputed balance in the place of the one that was read, or where there was none. Throws
   * VersionConflict when that has changed since.
   */
  async mend({ id, ...after }: EarningsBalance, before: EarningsBalance | undefined): Promise<void> {
    const version = before?.version ?? 0;
    const { matchedCount, upsertedCount } = await this.rows.replaceOne(
      { _id: id, version },
      { ...after, version: version + 1 },
      { upsert: !before, session: currentSession() },
    );
    if (matchedCount + upsertedCount === 0) throw new VersionConflict('earnings_balances', id);
  }

  /** What all sellers have together, per currency. Reads every account. */
  async settledOfAll(): Promise<ReadonlyMap<string, number>> {
    const totals = this.rows.aggregate<{ _id: string; settled: number }>(
      [{ $group: { _id: '$currency', settled: { $sum: '$settled' } } }],
      { session: currentSession() },
    );
    return new Map((await totals.toArray()).map(({ _id, settled }) => [_id, settled]));
  }

  private get rows(): mongoose.mongo.Collection<Stored<EarningsBalance>> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Stored<EarningsBalance>>;
  }
}

const toBalance = ({ _id, ...row }: Stored<EarningsBalance>): EarningsBalance => ({ id: _id, ...row });
