import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { z } from 'zod';
import { VersionConflict } from '@atelier/kernel';
import { HOLD_STATUSES } from '@atelier/contracts/ledger/holds.api';
import {
  aggregateSchema,
  currentSession,
  Database,
  duplicateKeyFields,
  type Stored,
} from '@atelier/persistence';
import { decodeCursor, encodeCursor, type Page } from '@atelier/service';
import type { Hold } from './hold.domain.js';

const COLLECTION = 'credit_holds';
const cursorSchema = z.string();

const schema = aggregateSchema<Hold>({
  userId: { type: String, required: true },
  amount: { type: Number, required: true, min: 1 },
  capturedAmount: { type: Number, required: true, min: 0 },
  status: { type: String, required: true, enum: HOLD_STATUSES },
  type: { type: String, required: true },
  sourceId: { type: String, required: true },
  expiresAt: { type: Date, required: true },
  createdAt: { type: Date, required: true },
  endedAt: { type: Date },
  expiredAt: { type: Date },
})
  .index({ status: 1, expiresAt: 1, _id: 1 })
  .index({ userId: 1, status: 1, _id: 1 })
  .index({ sourceId: 1 });

/** The holds. Its methods join the caller's transaction, in which the balance changes too. */
@Injectable()
export class HoldRepository {
  private readonly model: mongoose.Model<Stored<Hold>>;

  constructor(database: Database) {
    this.model = database.model<Stored<Hold>>(COLLECTION, schema);
  }

  async load(holdId: string): Promise<Hold | undefined> {
    const row = await this.rows.findOne({ _id: holdId }, { session: currentSession() });
    return row ? toHold(row) : undefined;
  }

  /** Those of these holds that there are. */
  async byIds(holdIds: readonly Hold['id'][]): Promise<Hold[]> {
    const rows = this.rows.find({ _id: { $in: [...holdIds] } }, { session: currentSession() });
    return (await rows.toArray()).map(toHold);
  }

  async insert(holds: readonly Hold[]): Promise<void> {
    await this.rows.insertMany(
      holds.map(({ id, ...hold }) => ({ _id: id, ...hold })),
      { session: currentSession() },
    );
  }

  /** Ends holds, unless somebody else was faster with one: then throws VersionConflict. */
  async end(changes: readonly (readonly [Hold, Hold])[]): Promise<void> {
    const operations = changes.map(([before, { id, ...after }]) => ({
      replaceOne: { filter: { _id: id, status: before.status }, replacement: after },
    }));
    const { matchedCount } = await this.rows.bulkWrite(operations, { session: currentSession() });
    if (matchedCount !== changes.length)
      throw new VersionConflict(COLLECTION, changes.map(([{ id }]) => id).join(', '));
  }

  /** Saves a later expiry, unless the hold has changed since it was loaded: then throws VersionConflict. */
  async extend({ id, expiresAt, version }: Hold): Promise<void> {
    const { matchedCount } = await this.rows.updateOne(
      { _id: id, status: 'held', version: version - 1 },
      { $set: { expiresAt, version } },
    );
    if (matchedCount === 0) throw new VersionConflict(COLLECTION, id);
  }

  /** A page of a user's open holds, newest first. */
  async openOf(userId: Hold['userId'], limit: number, cursor?: string): Promise<Page<Hold>> {
    const before = cursor ? { _id: { $lt: decodeCursor(cursor, cursorSchema) } } : {};
    const rows = await this.rows
      .find({ userId, status: 'held', ...before })
      .sort({ _id: -1 })
      .limit(limit + 1)
      .toArray();
    const items = rows.slice(0, limit).map(toHold);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, nextCursor: last ? encodeCursor(last.id) : null };
  }

  /** The holds of one purchase or job. */
  async ofSource(sourceId: string, limit: number): Promise<Hold[]> {
    return (await this.rows.find({ sourceId }).limit(limit).toArray()).map(toHold);
  }

  /** Open holds whose time is over, the oldest first; only those behind that one, when there is one. */
  async expired(now: Date, limit: number, behind?: Hold): Promise<Hold[]> {
    const isBehind = behind && {
      $or: [
        { expiresAt: { $gt: behind.expiresAt } },
        { expiresAt: behind.expiresAt, _id: { $gt: behind.id } },
      ],
    };
    const rows = this.rows.find({ status: 'held', expiresAt: { $lte: now }, ...isBehind });
    return (await rows.sort({ expiresAt: 1, _id: 1 }).limit(limit).toArray()).map(toHold);
  }

  /** What all open holds of a user set aside. */
  async heldBy(userId: Hold['userId']): Promise<number> {
    let credits = 0;
    for await (const { amount } of this.rows.find(
      { userId, status: 'held' },
      { session: currentSession() },
    )) {
      credits += amount;
    }
    return credits;
  }

  static isDuplicate(error: unknown): boolean {
    return duplicateKeyFields(error)?.includes('_id') ?? false;
  }

  private get rows(): mongoose.mongo.Collection<Stored<Hold>> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Stored<Hold>>;
  }
}

const toHold = ({ _id, ...row }: Stored<Hold>): Hold => ({ id: _id as Hold['id'], ...row });
