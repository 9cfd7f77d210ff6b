import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { newId, type Id } from '@atelier/kernel';
import { Database, duplicateKeyFields, keySetPage } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import type { CountedReport, TaxLine, TaxReport } from './tax-report.domain.js';

interface Row extends CountedReport {
  readonly _id: Id<'tax'>;
}

const units = { type: Number, required: true };
const line = new mongoose.Schema<TaxLine>(
  {
    asset: { type: String, required: true },
    ...{ gross: units, fees: units, refunds: units, net: units, payouts: units },
  },
  { _id: false, strict: 'throw' },
);
const schema = new mongoose.Schema<Row>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    year: { type: Number, required: true },
    lines: { type: [line], required: true },
    closedAt: { type: Date },
    countedTo: { type: mongoose.Schema.Types.Mixed, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false, id: false },
).index({ userId: 1, year: -1 }, { unique: true });

/** The reports of years, as far as they were counted. That of a closed year is never changed. */
@Injectable()
export class TaxReportRepository {
  private readonly model: mongoose.Model<Row>;

  constructor(database: Database) {
    this.model = database.model<Row>('tax_reports', schema);
  }

  async find(userId: Id<'usr'>, year: number): Promise<CountedReport | undefined> {
    const row = await this.rows.findOne({ userId, year });
    return row ? toReport(row) : undefined;
  }

  /** Keeps a report, unless one is closed: of two who count at the same time both have counted right. */
  async keep({ userId, year, ...report }: CountedReport): Promise<void> {
    try {
      await this.rows.updateOne(
        { userId, year, closedAt: null },
        { $set: report, $setOnInsert: { _id: newId('tax') } },
        { upsert: true },
      );
    } catch (error) {
      if (!duplicateKeyFields(error)) throw error;
    }
  }

  /** The years of a user that are closed already. */
  async yearsOf(userId: Id<'usr'>): Promise<ReadonlySet<number>> {
    const rows = this.rows.find({ userId, closedAt: { $ne: null } }, { projection: { year: 1 } });
    return new Set((await rows.toArray()).map(({ year }) => year));
  }

  /** One page of closed years, the newest first. */
  async page(userId: Id<'usr'>, limit: number, cursor: string | undefined): Promise<Page<TaxReport>> {
    const newestFirst = { by: 'year', direction: -1, tie: 'year' } as const;
    const page = await keySetPage(
      this.rows,
      { userId, closedAt: { $ne: null } },
      { limit, cursor },
      newestFirst,
    );
    return { ...page, items: page.items.map(toReport) };
  }

  private get rows(): mongoose.mongo.Collection<Row> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Row>;
  }
}

const toReport = ({ _id, ...report }: Row): CountedReport => report;
