import mongoose from 'mongoose';
import type { DayRange } from '@atelier/contracts/analytics/daily.api';
import { currentSession, type Database } from '@atelier/persistence';
import { shardOf } from './day.domain.js';

const SUM_TIMEOUT_MS = 10_000;

export type Counts<Dimension extends string, Counter extends string> = { readonly day: string } & Readonly<
  Record<Dimension, string>
> &
  Readonly<Record<Counter, number>>;

export interface DailyCountsOptions<Dimension extends string, Counter extends string> {
  /** `view_…` */
  readonly collection: string;
  readonly dimensions: readonly Dimension[];
  readonly counters: readonly Counter[];
  /** The dimension that every sum names, when the view is not the platform's as a whole. */
  readonly scope?: Dimension;
}

/**
 * Counters by day and dimensions, for projections. Facts only ever add, so their order does not matter; the inbox
 * lets each of them add once. A day's row is sharded by the fact's subject: the transactions of concurrent facts
 * would otherwise all wait for one row.
 */
export class DailyCounts<Dimension extends string, Counter extends string> {
  private readonly rows: mongoose.Model<mongoose.AnyObject>;

  constructor(
    database: Database,
    private readonly options: DailyCountsOptions<Dimension, Counter>,
  ) {
    const { collection, dimensions, counters, scope } = options;
    const fields = (names: readonly string[], type: unknown) =>
      Object.fromEntries(names.map((name) => [name, { type, required: true }]));
    const schema = new mongoose.Schema<mongoose.AnyObject>(
      { ...fields(['_id', 'day', ...dimensions], String), ...fields(['shard', ...counters], Number) },
      { versionKey: false, strict: 'throw', _id: false },
    ).index(scope ? { [scope]: 1, day: 1 } : { day: 1 });
    this.rows = database.model<mongoose.AnyObject>(collection, schema);
  }

  /** Adds to a day, in the transaction that notes the fact as handled. Counters that are not named stay. */
  async add(
    subject: string,
    day: string,
    dimensions: Readonly<Record<Dimension, string>>,
    amounts: Readonly<Partial<Record<Counter, number>>>,
  ): Promise<void> {
    const shard = shardOf(subject);
    const _id = [day, ...this.options.dimensions.map((name) => dimensions[name]), shard].join(':');
    const increments = Object.fromEntries(this.options.counters.map((name) => [name, amounts[name] ?? 0]));
    await this.rows.collection.updateOne(
      { _id: _id as never },
      { $setOnInsert: { day, ...dimensions, shard }, $inc: increments },
      { upsert: true, session: currentSession() },
    );
  }

  /** The sums per day and dimensions; days without anything are not there. */
  async sum(range: DayRange, scope?: string): Promise<Counts<Dimension, Counter>[]> {
    const { dimensions, counters, scope: scopeName } = this.options;
    if ((scopeName === undefined) !== (scope === undefined))
      throw new Error(`${this.options.collection} is summed by ${scopeName ?? 'nobody'}`);
    const by = ['day', ...dimensions];
    const groups = await this.rows.collection
      .aggregate(
        [
          {
            $match: {
              ...(scopeName ? { [scopeName]: scope } : {}),
              day: { $gte: range.from, $lte: range.to },
            },
          },
          {
            $group: {
              _id: Object.fromEntries(by.map((name) => [name, `$${name}`])),
              ...Object.fromEntries(counters.map((name) => [name, { $sum: `$${name}` }])),
            },
          },
        ],
        { maxTimeMS: SUM_TIMEOUT_MS },
      )
      .toArray();
    return groups.map(({ _id, ...sums }) => ({ ...(_id as object), ...sums }) as Counts<Dimension, Counter>);
  }

  async reset(): Promise<void> {
    await this.rows.collection.deleteMany({});
  }
}
