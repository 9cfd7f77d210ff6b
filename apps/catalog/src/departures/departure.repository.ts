import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { currentSession, Database } from '@atelier/persistence';

/** Somebody whose account was deleted, and whose prompts are not all deleted yet. */
export interface Departure {
  /** The user's id. */
  readonly _id: string;
  readonly deletedBy: string;
  readonly dueAt: Date;
  /** Access tokens outlive the account by minutes. Whatever was written with them is gone after a look at this time. */
  readonly lastLookAt: Date;
  readonly correlationId: string;
  /** The fact that told it. */
  readonly causationId: string;
}

const text = { type: String, required: true };

const schema = new mongoose.Schema<Departure>(
  {
    _id: text,
    deletedBy: text,
    dueAt: { type: Date, required: true },
    lastLookAt: { type: Date, required: true },
    correlationId: text,
    causationId: text,
  },
  { versionKey: false, strict: 'throw', _id: false },
).index({ dueAt: 1 });

/** Work that is left to do, and forgotten when it is done. */
@Injectable()
export class DepartureRepository {
  private readonly rows: mongoose.Model<Departure>;

  constructor(database: Database) {
    this.rows = database.model<Departure>('departures', schema);
  }

  async note({ _id, ...departure }: Departure): Promise<void> {
    await this.rows.collection.updateOne(
      { _id: _id as never },
      { $setOnInsert: departure },
      { upsert: true, session: currentSession() },
    );
  }

  /** Longest due first. */
  async due(now: Date, limit: number): Promise<readonly Departure[]> {
    const rows = await this.rows.collection
      .find({ dueAt: { $lte: now } })
      .sort({ dueAt: 1 })
      .limit(limit)
      .toArray();
    return rows as unknown as Departure[];
  }

  /** No prompt is left: looks once more at the end, and then no more. */
  async advance({ _id, lastLookAt }: Departure, now: Date): Promise<void> {
    if (now < lastLookAt)
      await this.rows.collection.updateOne({ _id: _id as never }, { $set: { dueAt: lastLookAt } });
    else await this.rows.collection.deleteOne({ _id: _id as never });
  }
}
