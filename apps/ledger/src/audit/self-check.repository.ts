import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { Database, duplicateKeyFields } from '@atelier/persistence';
import type { Finding } from './books.domain.js';

/** An account that did not add up when it was last looked at. */
interface OpenFinding {
  /** `user:usr_…`, or `platform` for the sum of all */
  readonly _id: string;
  readonly findings: readonly Finding[];
  readonly foundAt: Date;
}
interface Progress {
  readonly _id: 'accounts' | 'sum';
  readonly cursor?: string;
  readonly summedAt?: Date;
}

const findingSchema = new mongoose.Schema<OpenFinding>(
  {
    _id: { type: String, required: true },
    findings: { type: [mongoose.Schema.Types.Mixed], required: true },
    foundAt: { type: Date, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false },
);
const progressSchema = new mongoose.Schema<Progress>(
  { _id: { type: String, required: true }, cursor: { type: String }, summedAt: { type: Date } },
  { versionKey: false, strict: 'throw', _id: false },
);

/** What the self-checks of all replicas share: how far they are, and what they found. */
@Injectable()
export class SelfCheckRepository {
  private readonly findings: mongoose.Model<OpenFinding>;
  private readonly progress: mongoose.Model<Progress>;

  constructor(database: Database) {
    this.findings = database.model<OpenFinding>('self_check_findings', findingSchema);
    this.progress = database.model<Progress>('self_check_progress', progressSchema);
  }

  /** The accounts of users before the sum of all: they say more about what is wrong. */
  async open(limit: number): Promise<OpenFinding[]> {
    return this.findings.find({}).sort({ _id: -1 }).limit(limit).lean<OpenFinding[]>();
  }

  async record(account: string, findings: readonly Finding[], foundAt: Date): Promise<void> {
    if (findings.length === 0) await this.findings.deleteOne({ _id: account });
    else
      await this.findings.updateOne(
        { _id: account },
        { findings, $setOnInsert: { foundAt } },
        { upsert: true },
      );
  }

  async cursor(): Promise<string> {
    return (await this.progress.findById('accounts').lean<Progress>())?.cursor ?? '';
  }

  async moveCursor(cursor: string): Promise<void> {
    await this.progress.updateOne({ _id: 'accounts' }, { cursor }, { upsert: true });
  }

  /** Takes the turn to sum all up, if nobody has since `before`. */
  async takeSum(now: Date, before: Date): Promise<boolean> {
    try {
      await this.progress.updateOne(
        { _id: 'sum', summedAt: { $lte: before } },
        { summedAt: now },
        { upsert: true },
      );
      return true;
    } catch (error) {
      // Upserted beside the row of somebody who has.
      if (duplicateKeyFields(error)) return false;
      throw error;
    }
  }
}
