import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import type { Id } from '@atelier/kernel';
import { TIERS } from '@atelier/contracts/ledger/accounts.api';
import { aggregateSchema, currentSession, Database, type Stored } from '@atelier/persistence';
import { userAccount } from '../journal/entry.domain.js';
import type { CreditBalance, Movement } from './account.domain.js';

const schema = aggregateSchema<CreditBalance>({
  settled: { type: Number, required: true },
  held: { type: Number, required: true, min: 0 },
  available: { type: Number, required: true },
  tier: { type: String, required: true, enum: TIERS },
  lastRegeneratedAt: { type: Date, required: true },
  perishable: { type: Number, required: true, min: 0 },
  perishableSince: { type: Number, required: true, min: 0 },
  sequence: { type: Number, required: true, min: 0 },
  lastEntryId: { type: String },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
}).index({ tier: 1, lastRegeneratedAt: 1, _id: 1 });

interface Delta {
  readonly settled: number;
  readonly held: number;
}

/**
 * The balances. Every change is one conditional `findOneAndUpdate` in the caller's transaction: the guard is in
 * the filter and the arithmetic in the database, so nobody decides on a balance that was read before.
 */
@Injectable()
export class AccountRepository {
  private readonly model: mongoose.Model<Stored<CreditBalance>>;

  constructor(database: Database) {
    this.model = database.model<Stored<CreditBalance>>('credit_balances', schema);
  }

  async load(userId: string): Promise<CreditBalance | undefined> {
    const row = await this.rows.findOne({ _id: userId }, { session: currentSession() });
    return row ? toBalance(row) : undefined;
  }

  /** Opens an empty account; one that is there stays as it is. */
  async open(userId: Id<'usr'>, now: Date): Promise<void> {
    await this.rows.updateOne(
      { _id: userId },
      {
        $setOnInsert: {
          ...opening(now),
          settled: 0,
          held: 0,
          available: 0,
          sequence: 0,
          lastEntryId: null,
          version: 1,
          updatedAt: now,
        },
      },
      { upsert: true, session: currentSession() },
    );
  }

  /** Sets credits aside, if that many are available; else changes nothing and answers undefined (R236). */
  setAside(userId: Id<'usr'>, amount: number, now: Date): Promise<CreditBalance | undefined> {
    return this.shift({ _id: userId, available: { $gte: amount } }, { settled: 0, held: amount }, now);
  }

  /** Gives back what a hold set aside. */
  async giveBack(userId: Id<'usr'>, amount: number, now: Date): Promise<CreditBalance> {
    const balance = await this.shift(
      { _id: userId, held: { $gte: amount } },
      { settled: 0, held: -amount },
      now,
    );
    if (!balance)
      throw new Error(`${userId} does not hold ${amount} credits: the books and the holds disagree`);
    return balance;
  }

  /**
   * Books an entry's amount on the account, and gives back what its hold had set aside. Opens the account when
   * this fact came before the user's registration did.
   */
  async move(
    userId: Id<'usr'>,
    amount: number,
    held: number,
    entryId: Id<'jrn'>,
    now: Date,
  ): Promise<Movement> {
    const before = await this.rows.findOneAndUpdate(
      held > 0 ? { _id: userId, held: { $gte: held } } : { _id: userId },
      {
        $inc: { ...increments({ settled: amount, held: -held }), sequence: 1 },
        $set: { lastEntryId: entryId },
        $max: { updatedAt: now },
        $setOnInsert: opening(now),
      },
      { upsert: held === 0, returnDocument: 'before', session: currentSession() },
    );
    if (!before && held > 0)
      throw new Error(`${userId} does not hold ${held} credits: the books and the holds disagree`);
    return {
      account: userAccount(userId),
      sequence: (before?.sequence ?? 0) + 1,
      previousEntryId: before?.lastEntryId ?? null,
      balanceAfter: (before?.settled ?? 0) + amount,
      version: (before?.version ?? 0) + 1,
      at: before && before.updatedAt > now ? before.updatedAt : now,
    };
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

  /** Notes what the account was regenerated for. Joins the transaction that posted it. */
  async regenerated(
    userId: Id<'usr'>,
    after: Pick<CreditBalance, 'lastRegeneratedAt' | 'perishable' | 'perishableSince'>,
  ): Promise<void> {
    await this.rows.updateOne(
      { _id: userId },
      { $set: after, $inc: { version: 1 } },
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
    const row = { ...after, version: (before?.version ?? 0) + 1 };
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

  /** Every account in the order of ids. */
  async *all(): AsyncIterable<CreditBalance> {
    for await (const row of this.rows.find({}).sort({ _id: 1 })) yield toBalance(row);
  }

  private async shift(
    filter: mongoose.mongo.Filter<Stored<CreditBalance>>,
    delta: Delta,
    now: Date,
  ): Promise<CreditBalance | undefined> {
    const row = await this.rows.findOneAndUpdate(
      filter,
      { $inc: increments(delta), $max: { updatedAt: now } },
      { returnDocument: 'after', session: currentSession() },
    );
    return row ? toBalance(row) : undefined;
  }

  private get rows(): mongoose.mongo.Collection<Stored<CreditBalance>> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Stored<CreditBalance>>;
  }
}

const increments = ({ settled, held }: Delta) => ({ settled, held, available: settled - held, version: 1 });
const opening = (now: Date) => ({
  tier: TIERS[0],
  lastRegeneratedAt: now,
  perishable: 0,
  perishableSince: 0,
  createdAt: now,
});
const toBalance = ({ _id, ...row }: Stored<CreditBalance>): CreditBalance => ({
  id: _id as Id<'usr'>,
  ...row,
  // Accounts from before there was a regeneration have regenerated nothing.
  perishable: row.perishable ?? 0,
  perishableSince: row.perishableSince ?? 0,
});
