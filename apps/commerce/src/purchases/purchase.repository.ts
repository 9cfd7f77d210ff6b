import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { FULFILLMENT_STATUSES, PURCHASE_PAYMENT_STATUSES } from '@atelier/contracts/commerce/purchases.api';
import { VersionConflict, type Id } from '@atelier/kernel';
import { aggregateSchema, Database, Outbox, Repository, type PageRequest } from '@atelier/persistence';
import type { Page } from '@atelier/service';
import { embedded, originSchema } from '../origin-document.js';
import type { Listing } from '../listings/listing.domain.js';
import { STANDING_STATUSES, type Purchase } from './purchase.domain.js';

const standing = { paymentStatus: { $in: [...STANDING_STATUSES] } };

/** The last block belongs to features that are not built yet (R114, R115). */
const schema = aggregateSchema<
  Purchase & Record<'downloadUrl' | 'downloadExpiresAt' | 'customerSatisfaction', unknown>
>({
  buyerId: { type: String, required: true },
  sellerId: { type: String, required: true },
  listingId: { type: String, required: true },
  promptId: { type: String, required: true },
  title: { type: String, required: true },
  holdId: { type: String, required: true },
  paymentMethod: { type: String, enum: ['credits', 'stripe', 'apple_pay', 'google_pay'], required: true },
  priceCredits: { type: Number, required: true, min: 1 },
  platformFeeBasisPoints: { type: Number, required: true, min: 0 },
  platformFeeCredits: { type: Number, required: true, min: 0 },
  sellerEarningsCredits: { type: Number, required: true, min: 0 },
  paymentStatus: { type: String, enum: PURCHASE_PAYMENT_STATUSES, required: true },
  fulfillmentStatus: { type: String, enum: FULFILLMENT_STATUSES, required: true },
  unitNumber: { type: Number, min: 1 },
  failureReason: { type: String },
  refund: {
    type: embedded({
      amountCredits: { type: Number, required: true },
      reason: { type: String, required: true },
      refundedBy: { type: String, required: true },
      requestedAt: { type: Date, required: true },
      processedAt: { type: Date },
      status: { type: String, enum: ['requested', 'processed'], required: true },
    }),
  },
  downloadCount: { type: Number, required: true, min: 0 },
  origin: { type: originSchema },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
  completedAt: { type: Date },
  deliveredAt: { type: Date },
  failedAt: { type: Date },
  downloadUrl: { type: String },
  downloadExpiresAt: { type: Date },
  customerSatisfaction: { type: mongoose.Schema.Types.Mixed },
})
  .index({ buyerId: 1, listingId: 1 }, { unique: true, partialFilterExpression: standing })
  .index(
    { listingId: 1, unitNumber: 1 },
    { unique: true, partialFilterExpression: { unitNumber: { $exists: true }, ...standing } },
  )
  .index({ buyerId: 1, createdAt: 1, _id: 1 })
  .index({ paymentStatus: 1, createdAt: 1, _id: 1 });

/**
 * Another request took this place, or this unit, between look and save. Looking again tells which answer is due;
 * who has lost the last of these races reads this.
 */
class PlaceTaken extends VersionConflict {
  override message = 'Many are buying this at the moment, and nothing was charged. Try again in a moment.';
}

@Injectable()
export class PurchaseRepository extends Repository<Purchase, 'buyerId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, {
      collection: 'marketplace_purchases',
      schema,
      owner: ['buyerId'],
      onDuplicate: (purchase) => new PlaceTaken('marketplace_purchases', purchase.id),
    });
  }

  /** The buyer's purchase of this listing that stands, if any. */
  standing(buyerId: Id<'usr'>, listingId: string): Promise<Purchase | undefined> {
    return this.one({ buyerId, listingId, ...standing });
  }

  ofBuyer(buyerId: Id<'usr'>, page: PageRequest<Purchase>): Promise<Page<Purchase>> {
    return this.page({ buyerId }, page);
  }

  /** The numbers of the listing's units that are taken; at most its stock. */
  async unitsTaken(listing: Listing): Promise<ReadonlySet<number>> {
    const numbers = await this.model.collection.distinct('unitNumber', {
      listingId: listing.id,
      unitNumber: { $exists: true },
      ...standing,
    });
    return new Set(numbers as number[]);
  }

  /** Pending purchases that began before this time, oldest first. */
  async pendingSince(before: Date, limit: number): Promise<readonly Purchase[]> {
    const { items } = await this.pageAcrossOwners(
      { paymentStatus: 'pending', createdAt: { $lt: before } } as never,
      { limit, sort: { by: 'createdAt', direction: 1 } },
      'system',
    );
    return items;
  }
}
