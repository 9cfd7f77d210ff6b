import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { LRUCache } from 'lru-cache';
import { VersionConflict, type Id } from '@atelier/kernel';
import { TIERS } from '@atelier/contracts/ledger/accounts.api';
import {
  aggregateSchema,
  currentSession,
  Database,
  duplicateKeyFields,
  type Stored,
} from '@atelier/persistence';
import { openAccount, type CreditBalance } from './account.domain.js';

const schema = aggregateSchema<CreditBalance>({
  settled: { type: Number, required: true },
  held: { type: Number, required: true, min: 0 },
  available: { type: Number, required: true },
  tier: { type: String, required: true, enum: TIERS },
  lastRegeneratedAt: { type: Date, required: true },
  perishable: { type: Number, required: true, min: 0 },
  soldCredits: { type: Number, required: true },
  paidOutCredits: { type: Number, required: true },
  sequence: { type: Number, required: true, min: 0 },
  lastEntryId: { type: String },
  lastHash: { type: String },
  erasedAt: { type: Date },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
}).index({ tier: 1, lastRegeneratedAt: 1, _id: 1 });

/** Accounts that are read at a time where all are. */
const PAGE_ACCOUNTS = 1_000;
/** Balances that this process remembers: some 20 MB. */
const REMEMBERED_MAX = 50_000;

/**
 * The balances. Every write of one that was decided on before names the version that was read, in the caller's
 * transaction: what somebody else has changed meanwhile is not overwritten, and the decision is made again.
 */
@Injectable()
export class AccountRepository {
  private readonly model: mongoose.Model<Stored<CreditBalance>>;
  private readonly remembered = new LRUCache<string, CreditBalance>({ max: REMEMBERED_MAX });

  constructor(database: Database) {
    this.model = database.model<Stored<CreditBalance>>('credit_balances', schema);
  }

  async load(userId: string): Promise<CreditBalance | undefined> {
    const row = await this.rows.findOne({ _id: userId }, { session: currentSession() });
    return row ? toBalance(row) : undefined;
  }

  /** Opens an empty account; one that is there stays as it is. */
  async open(userId: Id<'usr'>, now: Date): Promise<void> {
    const { id: _id, ...empty } = openAccount(userId, now);
    const session = currentSession();
    await this.rows.updateOne({ _id }, { $setOnInsert: { ...empty, version: 1 } }, { upsert: true, session });
  }

  /** What this process remembers of these users. It may be old, which `write` notices. */
  recall(userIds: readonly Id<'usr'>[]): CreditBalance[] {
    return [...new Set(userIds)].flatMap((id) => this.remembered.get(id) ?? []);
  }

  /** The balances of these users, of those that have one. What was remembered of them is forgotten. */
  async ofUsers(userIds: readonly Id<'usr'>[]): Promise<CreditBalance[]> {
    for (const id of userIds) this.remembered.delete(id);
    const rows = this.rows.find({ _id: { $in: [...userIds] } }, { session: currentSession() });
    return (await rows.toArray()).map(toBalance);
  }

  /** Keeps balances that were committed, so that the next change need not read them. */
  remember(balances: readonly CreditBalance[]): void {
    for (const balance of balances) {
      const known = this.remembered.get(balance.id);
      if (!known || known.version < balance.version) this.remembered.set(balance.id, balance);
    }
  }

  /** Writes changed balances, one command for all. Throws VersionConflict when one is not as it was read. */
  async write(changes: readonly { after: CreditBalance; versionBefore: number }[]): Promise<void> {
    const operations = changes.map(({ after: { id: _id, ...$set }, versionBefore }) => {
      const filter = { _id, version: versionBefore };
      return { updateOne: { filter, update: { $set }, upsert: versionBefore === 0 } };
    });
    const conflict = () =>
      new VersionConflict('credit_balances', changes.map(({ after }) => after.id).join(', '));
    try {
      const { matchedCount, upsertedCount } = await this.rows.bulkWrite(operations, {
        session: currentSession(),
      });
      if (matchedCount + upsertedCount !== changes.length) throw conflict();
    } catch (error) {
      // Somebody else opened the account.
      throw duplicateKeyFields(error) ? conflict() : error;
    }
  }

  /** Sets the tier that the next turn of a month goes by; opens the account when it is the first to name the user. */
  async setTier(userId: Id<'usr'>, tier: CreditBalance['tier'], now: Date): Promise<void> {
    await this.open(userId, now);
    await this.rows.updateOne(
      { _id: userId, tier: { $ne: tier } },
      { $set: { tier }, $inc: { version: 1 }, $max: { updatedAt: now } },
      { session: currentSession() },
    );
  }

  /** Whether some account was last regenerated before then. */
  async anyRegeneratedBefore(time: Date): Promise<boolean> {
    const filter = { tier: { $in: [...TIERS] }, lastRegeneratedAt: { $lt: time } };
    return (await this.rows.findOne(filter, { projection: { _id: 1 } })) !== null;
  }

  /** Accounts between two ids (the first excluded) that were last regenerated before then, in the order of ids. */
  async regeneratedBefore(time: Date, from: string, to: string, limit: number): Promise<CreditBalance[]> {
    const rows = this.rows.find({ _id: { $gt: from, $lte: to }, lastRegeneratedAt: { $lt: time } });
    return (await rows.sort({ _id: 1 }).limit(limit).toArray()).map(toBalance);
  }

  /** The id that so many accounts end with, counted behind `from`; the last one when there are fewer. */
  async idBehind(from: string, accounts: number): Promise<string | undefined> {
    const ids = () => this.rows.find({ _id: { $gt: from } }, { projection: { _id: 1 } });
    const [nth] = await ids()
      .sort({ _id: 1 })
      .skip(accounts - 1)
      .limit(1)
      .toArray();
    const [last] = nth ? [nth] : await ids().sort({ _id: -1 }).limit(1).toArray();
    return last?._id;
  }

  /** Ids behind `from`, in their order. */
  async idsFrom(from: string, limit: number): Promise<Id<'usr'>[]> {
    const rows = this.rows.find({ _id: { $gt: from } }, { projection: { _id: 1 } });
    return (await rows.sort({ _id: 1 }).limit(limit).toArray()).map(({ _id }) => _id as Id<'usr'>);
  }

  /** Which of these users have no account. */
  async missingOf(userIds: readonly Id<'usr'>[]): Promise<Id<'usr'>[]> {
    const rows = this.rows.find({ _id: { $in: [...userIds] } }, { projection: { _id: 1 } });
    const known = new Set<string>((await rows.toArray()).map(({ _id }) => _id));
    return userIds.filter((id) => !known.has(id));
  }

  /** All users' settled credits together. Reads every account. */
  async settledOfAll(): Promise<number> {
    const [total] = await this.rows
      .aggregate<{ settled: number }>([{ $group: { _id: null, settled: { $sum: '$settled' } } }], {
        session: currentSession(),
      })
      .toArray();
    return total?.settled ?? 0;
  }

  /** Puts a recomputed balance in the place of the one that was read, unless it has changed since. */
  async mend({ id, ...after }: CreditBalance, before: CreditBalance | undefined): Promise<boolean> {
    const row = { ...after, version: after.version + 1 };
    const session = currentSession();
    if (!before) {
      const { upsertedCount } = await this.rows.updateOne(
        { _id: id },
        { $setOnInsert: row },
        { upsert: true, session },
      );
      return upsertedCount > 0;
    }
    const { matchedCount } = await this.rows.replaceOne({ _id: id, version: before.version }, row, {
      session,
    });
    return matchedCount > 0;
  }

  /** Every account in the order of ids. Page after page: a cursor dies while each account is worked on for long. */
  async *all(): AsyncIterable<CreditBalance> {
    for (let from = ''; ;) {
      const rows = this.rows.find({ _id: { $gt: from } }).sort({ _id: 1 });
      const page = await rows.limit(PAGE_ACCOUNTS).toArray();
      yield* page.map(toBalance);
      if (page.length < PAGE_ACCOUNTS) return;
      from = page.at(-1)!._id;
    }
  }

  private get rows(): mongoose.mongo.Collection<Stored<CreditBalance>> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Stored<CreditBalance>>;
  }
}

const toBalance = ({ _id, ...row }: Stored<CreditBalance>): CreditBalance => ({
  id: _id as Id<'usr'>,
  ...row,
  // Accounts from before these were counted have nothing of them, or a migration has counted it.
  perishable: row.perishable ?? 0,
  soldCredits: row.soldCredits ?? 0,
  paidOutCredits: row.paidOutCredits ?? 0,
  lastHash: row.lastHash ?? null,
});
