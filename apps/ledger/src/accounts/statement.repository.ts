import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { z } from 'zod';
import type { CreditTransactionType } from '@atelier/contracts/ledger/credits.events';
import { currentSession, Database } from '@atelier/persistence';
import { decodeCursor, encodeCursor, type Page } from '@atelier/service';
import type { CreditTransaction } from './account.domain.js';

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
  readonly type?: CreditTransactionType | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

const cursorSchema = z.tuple([z.iso.datetime(), z.int()]);

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
  async page({ userId, type, from, to, limit, cursor }: StatementQuery): Promise<Page<CreditTransaction>> {
    const between = { ...(from ? { $gte: from } : {}), ...(to ? { $lt: to } : {}) };
    const filter: mongoose.mongo.Filter<Row> = {
      userId,
      ...(type ? { type } : {}),
      ...(from || to ? { createdAt: between } : {}),
    };
    const rows = await this.rows
      .find(cursor ? { $and: [filter, before(cursor)] } : filter)
      .sort({ createdAt: -1, sequence: -1 })
      .limit(limit + 1)
      .toArray();
    const items = rows.slice(0, limit).map(toLine);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, nextCursor: last ? encodeCursor([last.createdAt.toISOString(), last.sequence]) : null };
  }

  /** A user's lines from the first on. */
  async ofUser(userId: CreditTransaction['userId']): Promise<CreditTransaction[]> {
    const rows = this.rows.find({ userId }, { session: currentSession() }).sort({ sequence: 1 });
    return (await rows.toArray()).map(toLine);
  }

  private get rows(): mongoose.mongo.Collection<Row> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Row>;
  }
}

function before(cursor: string): mongoose.mongo.Filter<Row> {
  const [createdAt, sequence] = decodeCursor(cursor, cursorSchema);
  const at = new Date(createdAt);
  return { $or: [{ createdAt: { $lt: at } }, { createdAt: at, sequence: { $lt: sequence } }] };
}

const toLine = ({ _id, ...row }: Row): CreditTransaction => ({ id: _id, ...row });
