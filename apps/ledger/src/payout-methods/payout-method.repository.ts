import { Injectable } from '@nestjs/common';
import { VersionConflict, type Id } from '@atelier/kernel';
import { aggregateSchema, Database, Outbox, Repository, type PageRequest } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import { PAYOUT_METHOD_TYPES } from '@atelier/contracts/ledger/payout-methods.api';
import { PAYOUT_PROVIDERS } from '@atelier/contracts/ledger/payout.events';
import type { PayoutMethod } from './payout-method.domain.js';

const COLLECTION = 'payout_methods';

/** R42: by user, newest first; and one default per user (R43). */
const schema = aggregateSchema<PayoutMethod>({
  userId: { type: String, required: true },
  type: { type: String, required: true, enum: PAYOUT_METHOD_TYPES },
  provider: { type: String, required: true, enum: PAYOUT_PROVIDERS },
  providerAccountId: { type: String, required: true },
  display: { type: String, required: true },
  isDefault: { type: Boolean, required: true },
  status: { type: String, required: true, enum: ['pending', 'verified', 'disabled'] },
  wrongCodes: { type: Number, required: true, min: 0 },
  createdAt: { type: Date, required: true },
  verifiedAt: { type: Date },
  disabledAt: { type: Date },
})
  .index({ userId: 1, createdAt: -1, _id: -1 })
  .index({ userId: 1 }, { unique: true, partialFilterExpression: { isDefault: true } });

@Injectable()
export class PayoutMethodRepository extends Repository<PayoutMethod, 'userId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, {
      collection: COLLECTION,
      schema,
      owner: ['userId'],
      // Another request made another method the default in the meantime: looking again tells which one.
      onDuplicate: ({ id }) => new VersionConflict(COLLECTION, id),
    });
  }

  ofUser(userId: Id<'usr'>, page: PageRequest<PayoutMethod>): Promise<Page<PayoutMethod>> {
    return this.page({ userId }, page);
  }

  defaultOf(userId: Id<'usr'>): Promise<PayoutMethod | undefined> {
    return this.one({ userId, isDefault: true });
  }

  /** How many methods of the user are not disabled, or were added since then; counted no further than `limit`. */
  countOf(userId: Id<'usr'>, since: Date, limit: number): Promise<number> {
    const filter = { userId, $or: [{ status: { $ne: 'disabled' } }, { createdAt: { $gte: since } }] };
    return this.model.collection.countDocuments(filter, { limit });
  }
}
