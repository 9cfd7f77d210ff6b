import mongoose from 'mongoose';
import { PaymentFailed, PaymentRefunded, PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import {
  PayoutCanceled,
  PayoutFailed,
  PayoutPaid,
  PayoutRejected,
  PayoutRequested,
} from '@atelier/contracts/ledger/payout.events';
import {
  TRANSACTION_PROVIDERS,
  TRANSACTION_STATUSES,
  TRANSACTION_TYPES,
} from '@atelier/contracts/ledger/transactions.api';
import type { EventEnvelope } from '@atelier/kernel';
import { Projection, type EventOf, type Projects } from '@atelier/messaging';
import { currentSession, Database, keySetPage } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import * as told from './transaction.domain.js';
import type { Transaction, TransactionStatus, TransactionType } from './transaction.domain.js';

type Row = Omit<Transaction, 'id'> & { readonly _id: Transaction['id'] };

const amount = new mongoose.Schema(
  { amount: { type: Number, required: true, min: 0 }, currency: { type: String, required: true } },
  { _id: false, strict: 'throw' },
);
const schema = new mongoose.Schema<Row>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    type: { type: String, required: true, enum: TRANSACTION_TYPES },
    amount: { type: amount, required: true },
    creditsAffected: { type: Number, required: true },
    provider: { type: String, required: true, enum: TRANSACTION_PROVIDERS },
    providerTransactionId: { type: String },
    status: { type: String, required: true, enum: TRANSACTION_STATUSES },
    description: { type: String, required: true },
    sourceId: { type: String, required: true },
    createdAt: { type: Date, required: true },
    completedAt: { type: Date },
  },
  { versionKey: false, strict: 'throw', _id: false, id: false },
)
  .index({ userId: 1, createdAt: -1, _id: -1 })
  .index({ userId: 1, type: 1, createdAt: -1, _id: -1 })
  .index({ userId: 1, status: 1, createdAt: -1, _id: -1 })
  .index({ sourceId: 1 });

export interface TransactionQuery {
  readonly userId: Transaction['userId'];
  readonly type?: TransactionType | undefined;
  readonly status?: TransactionStatus | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

type PaymentFact = typeof PaymentSucceeded | typeof PaymentFailed | typeof PaymentRefunded;
type PayoutFact =
  | typeof PayoutRequested
  | typeof PayoutPaid
  | typeof PayoutFailed
  | typeof PayoutRejected
  | typeof PayoutCanceled;

const NEWEST_FIRST = { by: 'createdAt', direction: -1 } as const;

/** The money statement (R38): payments and payouts, one line per fact or two, in whatever order the facts come. */
@Projection({
  id: 'ledger.transactions',
  group: 'ledger.transactions',
  consumes: [
    ...[PaymentSucceeded, PaymentFailed, PaymentRefunded],
    ...[PayoutRequested, PayoutPaid, PayoutFailed, PayoutRejected, PayoutCanceled],
  ],
})
export class Transactions implements Projects<PaymentFact | PayoutFact> {
  private readonly model: mongoose.Model<Row>;

  constructor(database: Database) {
    this.model = database.model<Row>('transactions', schema);
  }

  /** One page of a user's, newest first. */
  async page({
    userId,
    type,
    status,
    from,
    to,
    limit,
    cursor,
  }: TransactionQuery): Promise<Page<Transaction>> {
    const filter: mongoose.mongo.Filter<Row> = {
      userId,
      ...(type ? { type } : {}),
      ...(status ? { status } : {}),
      ...(from || to ? { createdAt: { ...(from ? { $gte: from } : {}), ...(to ? { $lt: to } : {}) } } : {}),
    };
    const page = await keySetPage(this.rows, filter, { limit, cursor }, NEWEST_FIRST);
    return { ...page, items: page.items.map(({ _id, ...row }): Transaction => ({ id: _id, ...row })) };
  }

  async handle(event: EventOf<PaymentFact | PayoutFact>): Promise<void> {
    for (const line of linesOf(event)) await this.put(line);
  }

  async reset(): Promise<void> {
    await this.rows.deleteMany({});
  }

  /** Two writes that may come in any order: a line that has ended is never pending again (SM10). */
  private async put({ id, ...line }: Transaction): Promise<void> {
    const session = currentSession();
    await this.rows.updateOne({ _id: id }, { $setOnInsert: line }, { upsert: true, session });
    if (line.status === 'pending') return;
    const { status, completedAt, description, providerTransactionId } = line;
    await this.rows.updateOne(
      { _id: id, status: 'pending' },
      { $set: { status, completedAt, description, providerTransactionId } },
      { session },
    );
  }

  private get rows(): mongoose.mongo.Collection<Row> {
    return this.model.collection as unknown as mongoose.mongo.Collection<Row>;
  }
}

function linesOf({ type, data }: EventEnvelope): Transaction[] {
  switch (type) {
    case PaymentSucceeded.type:
      return [told.paymentSucceeded(data as typeof PaymentSucceeded.example)];
    case PaymentFailed.type:
      return [told.paymentFailed(data as typeof PaymentFailed.example)];
    case PaymentRefunded.type:
      return [told.paymentRefunded(data as typeof PaymentRefunded.example)];
    case PayoutRequested.type:
      return told.payoutRequested(data as typeof PayoutRequested.example);
    case PayoutPaid.type:
      return [told.payoutPaid(data as typeof PayoutPaid.example)];
    default:
      return told.payoutReturned(data as typeof PayoutFailed.example);
  }
}
