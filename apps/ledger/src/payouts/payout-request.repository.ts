import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import type { Id } from '@atelier/kernel';
import { aggregateSchema, Database, fromDocument, Outbox, Repository } from '@atelier/persistence';
import type { PageRequest, Stored } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import { PAYOUT_STATUSES } from '@atelier/contracts/ledger/payout-requests.api';
import { PAYOUT_PROVIDERS } from '@atelier/contracts/ledger/payout.events';
import { OPEN_STATUSES, payoutOpen, type PayoutRequest, type PayoutStatus } from './payout-request.domain.js';

const amount = new mongoose.Schema(
  { amount: { type: Number, required: true, min: 1 }, currency: { type: String, required: true } },
  { _id: false, strict: 'throw' },
);

const schema = aggregateSchema<PayoutRequest>({
  userId: { type: String, required: true },
  methodId: { type: String, required: true },
  provider: { type: String, required: true, enum: PAYOUT_PROVIDERS },
  providerAccountId: { type: String, required: true },
  credits: { type: Number, required: true, min: 1 },
  amount: { type: amount, required: true },
  status: { type: String, required: true, enum: PAYOUT_STATUSES },
  decidedById: { type: String },
  decidedAt: { type: Date },
  reason: { type: String },
  providerReference: { type: String },
  tries: { type: Number, required: true, min: 0 },
  nextAttemptAt: { type: Date },
  endedAt: { type: Date },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
})
  .index({ userId: 1, createdAt: -1, _id: -1 })
  .index({ status: 1, createdAt: 1, _id: 1 })
  .index({ nextAttemptAt: 1, _id: 1 })
  .index({ userId: 1 }, { unique: true, partialFilterExpression: { status: { $in: [...OPEN_STATUSES] } } });

@Injectable()
export class PayoutRequestRepository extends Repository<PayoutRequest, 'userId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, {
      collection: 'payout_requests',
      schema,
      owner: ['userId'],
      onDuplicate: () => payoutOpen(),
    });
  }

  ofUser(userId: Id<'usr'>, page: PageRequest<PayoutRequest>): Promise<Page<PayoutRequest>> {
    return this.page({ userId }, page);
  }

  /** Everybody's, the oldest first. */
  queue(status: PayoutStatus, page: PageRequest<PayoutRequest>): Promise<Page<PayoutRequest>> {
    const oldestFirst = { by: 'createdAt', direction: 1 } as const;
    return this.pageAcrossOwners({ status }, { ...page, sort: oldestFirst }, 'moderation');
  }

  /**
   * Takes the payout that has waited longest, for as long as the lease. Who is slower than that finds at `save`
   * that somebody else went on.
   */
  async takeDue(now: Date, leaseMs: number): Promise<PayoutRequest | undefined> {
    const rows = this.model.collection as unknown as mongoose.mongo.Collection<Stored<PayoutRequest>>;
    const row = await rows.findOneAndUpdate(
      { nextAttemptAt: { $lte: now } },
      { $set: { nextAttemptAt: new Date(now.getTime() + leaseMs) }, $inc: { version: 1 } },
      { sort: { nextAttemptAt: 1, _id: 1 }, returnDocument: 'after' },
    );
    return row ? fromDocument<PayoutRequest>(row) : undefined;
  }

  /** When the payout that has been approved or paying for the longest was requested. */
  async oldestUnpaid(): Promise<Date | undefined> {
    const pages = await Promise.all(
      (['approved', 'paying'] as const).map((status) => this.queue(status, { limit: 1 })),
    );
    const times = pages.flatMap(({ items }) =>
      items.map(({ decidedAt, createdAt }) => decidedAt ?? createdAt),
    );
    return times.sort((a, b) => a.getTime() - b.getTime())[0];
  }
}
