import { Injectable } from '@nestjs/common';
import { aggregateSchema, Database, Outbox, Repository, type PageRequest } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import { ADJUSTMENT_STATUSES } from '@atelier/contracts/ledger/adjustments.api';
import type { Adjustment, AdjustmentStatus } from './adjustment.domain.js';

const schema = aggregateSchema<Adjustment>({
  userId: { type: String, required: true },
  amount: { type: Number, required: true },
  reason: { type: String, required: true },
  allowNegative: { type: Boolean, required: true },
  status: { type: String, required: true, enum: ADJUSTMENT_STATUSES },
  requestedById: { type: String, required: true },
  decidedById: { type: String },
  rejectionReason: { type: String },
  entryId: { type: String },
  createdAt: { type: Date, required: true },
  decidedAt: { type: Date },
})
  .index({ createdAt: -1, _id: -1 })
  .index({ status: 1, createdAt: -1, _id: -1 })
  .index({ userId: 1, createdAt: -1, _id: -1 })
  .index({ userId: 1, status: 1, createdAt: -1, _id: -1 });

export interface AdjustmentFilter {
  readonly userId?: Adjustment['userId'] | undefined;
  readonly status?: AdjustmentStatus | undefined;
}

/** Changes of credits by hand. Only admins come here, so it looks across owners. */
@Injectable()
export class AdjustmentRepository extends Repository<Adjustment, 'userId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, { collection: 'credit_adjustments', schema, owner: ['userId'] });
  }

  list({ userId, status }: AdjustmentFilter, page: PageRequest<Adjustment>): Promise<Page<Adjustment>> {
    const filter = { ...(userId ? { userId } : {}), ...(status ? { status } : {}) };
    return this.pageAcrossOwners(filter, page, 'moderation');
  }
}
