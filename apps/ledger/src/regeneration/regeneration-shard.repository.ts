import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { Database, duplicateKeyFields } from '@atelier/persistence';
import type { Month } from './regeneration.domain.js';

/** A finished shard is of interest for as long as people ask about its month. */
const KEPT_SECONDS = 400 * 86_400;
const RETRY_PAUSE_MS = 60_000;
const RETRY_PAUSE_MS_MAX = 3_600_000;

/** A range of user ids in one month's sweep, worked on by the replica that leases it. */
export interface Shard {
  /** `2026-12:00042` */
  readonly _id: string;
  readonly month: Month;
  readonly number: number;
  /** The ids behind `from`, up to `to`. */
  readonly from: string;
  readonly to: string;
  /** The ids up to here are done, but for failures among them. */
  readonly cursor: string;
  /** Some account behind `from` could not be regenerated: whoever comes to the end begins anew, also after a stop. */
  readonly hasFailures: boolean;
  readonly owner: string;
  readonly leasedUntil: Date;
  /** How often it came to its end with such accounts. */
  readonly failures: number;
  readonly finishedAt: Date | null;
  readonly openedAt: Date;
}

const schema = new mongoose.Schema<Shard>(
  {
    _id: { type: String, required: true },
    month: { type: String, required: true },
    number: { type: Number, required: true },
    from: { type: String },
    to: { type: String, required: true },
    cursor: { type: String },
    hasFailures: { type: Boolean, required: true },
    owner: { type: String, required: true },
    leasedUntil: { type: Date, required: true },
    failures: { type: Number, required: true },
    finishedAt: { type: Date },
    openedAt: { type: Date, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false },
)
  .index({ month: 1, number: -1 })
  .index({ finishedAt: 1, leasedUntil: 1 })
  .index({ openedAt: 1 }, { expireAfterSeconds: KEPT_SECONDS });

/**
 * The shards of the monthly sweeps. They are cut one after the other while the sweep goes, so that they are of one
 * size whatever the ids are, and nobody has to count a million accounts first.
 */
@Injectable()
export class RegenerationShardRepository {
  private readonly model: mongoose.Model<Shard>;

  constructor(database: Database) {
    this.model = database.model<Shard>('regeneration_shards', schema);
  }

  /** Takes over a shard that nobody works on any more: its replica died, or its accounts failed and it rested. */
  async takeOver(month: Month, owner: string, now: Date, leasedUntil: Date): Promise<Shard | undefined> {
    const shard = await this.rows.findOneAndUpdate(
      { month, finishedAt: null, leasedUntil: { $lte: now } },
      { $set: { owner, leasedUntil } },
      { returnDocument: 'after' },
    );
    return shard ?? undefined;
  }

  /** The shard with the highest ids of a month. */
  async last(month: Month): Promise<Shard | undefined> {
    return (await this.rows.findOne({ month }, { sort: { number: -1 } })) ?? undefined;
  }

  /** Opens a shard. Answers false when another replica has opened the one of this number. */
  async open(shard: Shard): Promise<boolean> {
    try {
      await this.rows.insertOne(shard);
      return true;
    } catch (error) {
      if (duplicateKeyFields(error)) return false;
      throw error;
    }
  }

  /** Saves how far it is, and renews the lease. Answers false when the shard was lost to another replica. */
  advance(
    shard: Shard,
    progress: Pick<Shard, 'cursor' | 'hasFailures'>,
    leasedUntil: Date,
  ): Promise<boolean> {
    return this.update(shard, { ...progress, leasedUntil });
  }

  finish(shard: Shard, now: Date): Promise<boolean> {
    return this.update(shard, { finishedAt: now, leasedUntil: now });
  }

  /** Lets the shard start anew after a rest that doubles each time: accounts that are done are passed over. */
  retryLater(shard: Shard, now: Date): Promise<boolean> {
    const restMs = Math.min(RETRY_PAUSE_MS * 2 ** shard.failures, RETRY_PAUSE_MS_MAX);
    const leasedUntil = new Date(now.getTime() + restMs);
    const anew = { cursor: shard.from, hasFailures: false, failures: shard.failures + 1 };
    return this.update(shard, { ...anew, leasedUntil });
  }

  /** How many shards of a month there are, and how many are finished. */
  async progress(month: Month): Promise<{ readonly opened: number; readonly finished: number }> {
    const opened = await this.rows.countDocuments({ month });
    return { opened, finished: opened - (await this.rows.countDocuments({ month, finishedAt: null })) };
  }

  private async update({ _id, owner }: Shard, change: Partial<Shard>): Promise<boolean> {
    const { matchedCount } = await this.rows.updateOne({ _id, owner, finishedAt: null }, { $set: change });
    return matchedCount > 0;
  }

  private get rows(): mongoose.mongo.Collection<Shard> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Shard>;
  }
}
