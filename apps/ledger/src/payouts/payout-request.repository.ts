import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import type { Id } from '@atelier/kernel';
import { aggregateSchema, Database, Outbox, Repository } from '@atelier/persistence';
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
  .index({ status: 1, decidedAt: 1, _id: 1 })
  .index({ nextAttemptAt: 1, _id: 1 })
  .index({ userId: 1 }, { unique: true, partialFilterExpression: { status: { $in: [...OPEN_STATUSES] } } });

/** A payout that a replica works on, and until when nobody else does. */
export interface PayoutLease {
  readonly id: PayoutRequest['id'];
  readonly leasedUntil: Date;
}

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
   * Takes the payout that has waited longest, for as long as the lease. Who is slower than that finds by `leased`
   * or at `save` that somebody else went on.
   */
  async takeDue(now: Date, leaseMs: number): Promise<PayoutLease | undefined> {
    const rows = this.model.collection as unknown as mongoose.mongo.Collection<Stored<PayoutRequest>>;
    const leasedUntil = new Date(now.getTime() + leaseMs);
    const row = await rows.findOneAndUpdate(
      { nextAttemptAt: { $lte: now } },
      { $set: { nextAttemptAt: leasedUntil }, $inc: { version: 1 } },
      { sort: { nextAttemptAt: 1, _id: 1 }, projection: { _id: 1 } },
    );
    return row ? { id: row._id as PayoutRequest['id'], leasedUntil } : undefined;
  }

  /** The payout as it is now, while nobody has taken it since. */
  leased({ id, leasedUntil }: PayoutLease): Promise<PayoutRequest | undefined> {
    return this.oneAcrossOwners({ _id: id, nextAttemptAt: leasedUntil }, 'system');
  }

  /** When the payout that has been approved and not ended for the longest was approved. */
  async longestApproved(): Promise<Date | undefined> {
    const sort = { by: 'decidedAt', direction: 1 } as const;
    const oldest = await Promise.all(
      (['approved', 'paying'] as const).map((status) =>
        this.pageAcrossOwners({ status }, { limit: 1, sort }, 'system'),
      ),
    );
    const times = oldest.flatMap(({ items }) => items.flatMap(({ decidedAt }) => decidedAt ?? []));
    return times.sort((a, b) => a.getTime() - b.getTime())[0];
  }
}
