import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { newId } from '@atelier/kernel';
import { IdempotencyStore, type IdempotencyState, type StoredAnswer } from '@atelier/service';
import { Database } from './database.js';
import { duplicateKeyFields } from './duplicate-key.js';

interface IdempotencyRow {
  /** The seed: caller, route and key, hashed; so a key of somebody else is another key (promise 10). */
  _id: string;
  /** Under a key that the database does not have, so that no body can be guessed from it. */
  requestHash: string;
  firstSeenAt: Date;
  /** The run that has the key, and until when it is thought to be at work. */
  run: string;
  leasedUntil: Date;
  answer?: StoredAnswer;
  expiresAt: Date;
}

const schema = new mongoose.Schema<IdempotencyRow>(
  {
    _id: { type: String, required: true },
    requestHash: { type: String, required: true },
    firstSeenAt: { type: Date, required: true },
    run: { type: String, required: true },
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
    const run = newId('run');
    const leasedUntil = new Date(now.getTime() + leaseMs);
    try {
      await this.rows.collection.insertOne({
        _id: seed as never,
        requestHash,
        firstSeenAt: now,
        run,
        leasedUntil,
        expiresAt: new Date(now.getTime() + ttlMs),
      });
      return { state: 'started', firstSeenAt: now, run };
    } catch (error) {
      if (!duplicateKeyFields(error)) throw error;
    }
    const row = (await this.rows.collection.findOne({
      _id: seed as never,
    })) as unknown as IdempotencyRow | null;
    if (!row) return { state: 'in_flight' };
    if (row.requestHash !== requestHash) return { state: 'mismatch' };
    if (row.answer) return { state: 'replay', ...row.answer };
    if (row.leasedUntil > now) return { state: 'in_flight' };
    // The first request died. Whoever takes its lease goes on with its `firstSeenAt`, and so with its ids.
    const abandoned = { ...held(seed, row.run), leasedUntil: { $lte: now } };
    const taken = await this.rows.collection.updateOne(abandoned, { $set: { run, leasedUntil } });
    return taken.modifiedCount === 1
      ? { state: 'started', firstSeenAt: row.firstSeenAt, run }
      : { state: 'in_flight' };
  }

  async renew(seed: string, run: string, leaseMs: number): Promise<void> {
    const leasedUntil = new Date(Date.now() + leaseMs);
    await this.rows.collection.updateOne(held(seed, run), { $set: { leasedUntil } });
  }

  async complete(seed: string, run: string, answer: StoredAnswer): Promise<void> {
    await this.rows.collection.updateOne(held(seed, run), { $set: { answer } });
  }

  /** The request failed in a way that may be repeated: the next one with this key starts at once. */
  async abandon(seed: string, run: string): Promise<void> {
    await this.rows.collection.updateOne(held(seed, run), { $set: { leasedUntil: new Date(0) } });
  }
}

/** The key while it is this run's: who outlived its lease settles nothing for the run that came after it. */
const held = (seed: string, run: string) => ({ _id: seed as never, run, answer: { $exists: false } });
