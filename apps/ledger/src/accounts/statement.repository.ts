import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import type { CreditTransactionType } from '@atelier/contracts/ledger/credits.events';
import { currentSession, Database, keySetPage } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import { OF_SALES, type CreditTransaction } from './account.domain.js';

type Row = Omit<CreditTransaction, 'id'> & { readonly _id: CreditTransaction['id'] };

const schema = new mongoose.Schema<Row>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    type: { type: String, required: true },
    amount: { type: Number, required: true },
    balanceAfter: { type: Number, required: true },
    sourceId: { type: String, required: true },
    entryId: { type: String, required: true },
    sequence: { type: Number, required: true },
    holdId: { type: String },
    createdAt: { type: Date, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false, id: false },
)
  .index({ userId: 1, createdAt: -1, sequence: -1 })
  .index({ userId: 1, type: 1, createdAt: -1, sequence: -1 })
  .index({ userId: 1, sequence: 1 }, { unique: true })
  .index({ sourceId: 1 });

export interface StatementQuery {
  readonly userId: CreditTransaction['userId'];
  /** Any of these; all when it is left out. */
  readonly types?: readonly CreditTransactionType[] | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}
export interface StatementPage extends StatementQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

const NEWEST_FIRST = { createdAt: -1, sequence: -1 } as const;

/** The statement lines: written with their entry, never changed or deleted (R239). */
@Injectable()
export class StatementRepository {
  private readonly model: mongoose.Model<Row>;

  constructor(database: Database) {
    this.model = database.model<Row>('credit_transactions', schema);
  }

  /** Adds lines to the running transaction. */
  async append(lines: readonly CreditTransaction[]): Promise<void> {
    await this.rows.insertMany(
      lines.map(({ id, ...line }) => ({ _id: id, ...line })),
      { session: currentSession() },
    );
  }

  /** One page, newest first. */
  async page({ limit, cursor, ...query }: StatementPage): Promise<Page<CreditTransaction>> {
    const order = { by: 'createdAt', direction: -1, tie: 'sequence' } as const;
    const page = await keySetPage(this.rows, filterOf(query), { limit, cursor }, order);
    return { ...page, items: page.items.map(toLine) };
  }

  /** How many lines there are, counted no further than `limit`. */
  count(query: StatementQuery, limit: number): Promise<number> {
    return this.rows.countDocuments(filterOf(query), { limit });
  }

  /** Up to `limit` lines one after the other, newest first: what is read is what fits into a batch of the driver. */
  async *stream(query: StatementQuery, limit: number): AsyncIterable<CreditTransaction> {
    for await (const row of this.rows.find(filterOf(query)).sort(NEWEST_FIRST).limit(limit))
      yield toLine(row);
  }

  /** The newest line of a user at that time (R241): one step into an index. */
  async latestAt(userId: CreditTransaction['userId'], at: Date): Promise<CreditTransaction | undefined> {
    const [row] = await this.rows
      .find({ userId, createdAt: { $lte: at } })
      .sort(NEWEST_FIRST)
      .limit(1)
      .toArray();
    return row && toLine(row);
  }

  /** What sales since that time have brought, a refund with its sale (R242): refunds of older sales do not count. */
  async soldSince(userId: CreditTransaction['userId'], since: Date): Promise<number> {
    const isSale = { $cond: [{ $eq: ['$type', 'earn_sale'] }, 1, 0] };
    const sums = this.rows.aggregate<{ amount: number }>(
      [
        { $match: { userId, type: { $in: OF_SALES }, createdAt: { $gt: since } } },
        { $group: { _id: '$sourceId', amount: { $sum: '$amount' }, sales: { $sum: isSale } } },
        { $match: { sales: { $gt: 0 } } },
        { $group: { _id: null, amount: { $sum: '$amount' } } },
      ],
      { session: currentSession() },
    );
    return (await sums.toArray())[0]?.amount ?? 0;
  }

  /** A user's lines with these places in the account's chain, `after` excluded, in their order. */
  async ofChain(
    userId: CreditTransaction['userId'],
    after: number,
    to: number,
  ): Promise<CreditTransaction[]> {
    const rows = this.rows.find(
      { userId, sequence: { $gt: after, $lte: to } },
      { session: currentSession() },
    );
    return (await rows.sort({ sequence: 1 }).toArray()).map(toLine);
  }

  /** How many lines stand behind that place of the chain. */
  countBehind(userId: CreditTransaction['userId'], sequence: number): Promise<number> {
    return this.rows.countDocuments({ userId, sequence: { $gt: sequence } }, { session: currentSession() });
  }

  /** All lines of one purchase, payment or job, the oldest first (R242). */
  async ofSource(sourceId: string, limit: number): Promise<CreditTransaction[]> {
    return (await this.rows.find({ sourceId }).limit(limit).toArray()).map(toLine);
  }

  /** Puts a line in its place of the chain, whatever stood there: only for what the journal says differently. */
  async mend({ id, ...line }: CreditTransaction): Promise<void> {
    await this.rows.deleteMany(
      { userId: line.userId, sequence: line.sequence },
      { session: currentSession() },
    );
    await this.rows.insertOne({ _id: id, ...line }, { session: currentSession() });
  }

  /** Takes away lines behind the end of the chain. */
  async cut(userId: CreditTransaction['userId'], sequence: number): Promise<void> {
    await this.rows.deleteMany({ userId, sequence: { $gt: sequence } }, { session: currentSession() });
  }

  private get rows(): mongoose.mongo.Collection<Row> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Row>;
  }
}

const filterOf = ({ userId, types, from, to }: StatementQuery): mongoose.mongo.Filter<Row> => ({
  userId,
  ...(types ? { type: { $in: [...types] } } : {}),
  ...(from || to ? { createdAt: { ...(from ? { $gte: from } : {}), ...(to ? { $lt: to } : {}) } } : {}),
});

const toLine = ({ _id, ...row }: Row): CreditTransaction => ({ id: _id, ...row });
