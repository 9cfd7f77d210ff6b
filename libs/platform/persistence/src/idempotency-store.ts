import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { IdempotencyStore, type IdempotencyState, type StoredAnswer } from '@atelier/service';
import { Database } from './database.js';
import { duplicateKeyFields } from './duplicate-key.js';

interface IdempotencyRow {
  /** The seed: caller, route and key, hashed; so a key of somebody else is another key (promise 10). */
  _id: string;
  /** Under a key that the database does not have, so that no body can be guessed from it. */
  requestHash: string;
  firstSeenAt: Date;
  /** Until then the first request is thought to be at work. */
  leasedUntil: Date;
  answer?: StoredAnswer;
  expiresAt: Date;
}

const schema = new mongoose.Schema<IdempotencyRow>(
  {
    _id: { type: String, required: true },
    requestHash: { type: String, required: true },
    firstSeenAt: { type: Date, required: true },
    leasedUntil: { type: Date, required: true },
    answer: { type: mongoose.Schema.Types.Mixed },
    expiresAt: { type: Date, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false },
).index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

/** Idempotency keys in the service's own database: one round trip to begin, one to complete. */
@Injectable()
export class MongoIdempotencyStore extends IdempotencyStore {
  private readonly rows: mongoose.Model<IdempotencyRow>;

  constructor(database: Database) {
    super();
    this.rows = database.model<IdempotencyRow>('_idempotency', schema);
  }

  async begin(seed: string, requestHash: string, ttlMs: number, leaseMs: number): Promise<IdempotencyState> {
    const now = new Date();
    const leasedUntil = new Date(now.getTime() + leaseMs);
    try {
      await this.rows.collection.insertOne({
        _id: seed as never,
        requestHash,
        firstSeenAt: now,
        leasedUntil,
        expiresAt: new Date(now.getTime() + ttlMs),
      });
      return { state: 'started', firstSeenAt: now, lease: leasedUntil };
    } catch (error) {
      if (!duplicateKeyFields(error)) throw error;
    }
    const row = (await this.rows.collection.findOne({
      _id: seed as never,
    })) as unknown as IdempotencyRow | null;
    if (!row) return { state: 'in_flight', retryAfterSeconds: 1 };
    if (row.requestHash !== requestHash) return { state: 'mismatch' };
    if (row.answer) return { state: 'replay', ...row.answer };
    if (row.leasedUntil > now) {
      const leftMs = row.leasedUntil.getTime() - now.getTime();
      return { state: 'in_flight', retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)) };
    }
    // The first request died. Whoever takes its lease goes on with its `firstSeenAt`, and so with its ids.
    const taken = await this.rows.collection.updateOne(held(seed, row.leasedUntil), {
      $set: { leasedUntil },
    });
    return taken.modifiedCount === 1
      ? { state: 'started', firstSeenAt: row.firstSeenAt, lease: leasedUntil }
      : { state: 'in_flight', retryAfterSeconds: 1 };
  }

  async complete(seed: string, lease: Date, answer: StoredAnswer): Promise<void> {
    await this.rows.collection.updateOne(held(seed, lease), { $set: { answer } });
  }

  /** The request failed in a way that may be repeated: the next one with this key starts at once. */
  async abandon(seed: string, lease: Date): Promise<void> {
    await this.rows.collection.updateOne(held(seed, lease), { $set: { leasedUntil: new Date(0) } });
  }
}

/** The key while it is this run's: who outlived its lease settles nothing for the run that came after it. */
const held = (seed: string, lease: Date) => ({
  _id: seed as never,
  leasedUntil: lease,
  answer: { $exists: false },
});
