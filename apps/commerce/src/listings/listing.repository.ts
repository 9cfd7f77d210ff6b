import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import {
  LISTING_STATUSES,
  LISTING_VISIBILITIES,
  MODERATION_STATUSES,
  type LISTING_SORTS,
} from '@atelier/contracts/commerce/listings.api';
import { DomainError, type Id } from '@atelier/kernel';
import {
  aggregateSchema,
  currentSession,
  Database,
  Outbox,
  Repository,
  type PageRequest,
} from '@atelier/persistence';
import type { Page } from '@atelier/service';
import { LIVE_STATUSES, searchWordsOf, type Listing, type ListingStatus } from './listing.domain.js';

const SEARCH_WORDS_PER_QUERY_MAX = 8;

const SORTS: Readonly<Record<(typeof LISTING_SORTS)[number], NonNullable<PageRequest<Listing>['sort']>>> = {
  newest: { by: 'publishedAt', direction: -1 },
  price_asc: { by: 'priceCredits', direction: 1 },
  price_desc: { by: 'priceCredits', direction: -1 },
  popular: { by: 'purchaseCount', direction: -1 },
};

const later = { type: mongoose.Schema.Types.Mixed };

/** The last block belongs to features that are not built yet; the fields are the documents' (R102–R109). */
const schema = aggregateSchema<
  Listing &
    Record<'price' | 'originalPriceCredits' | 'discountBasisPoints', unknown> &
    Record<'screenshots' | 'demoUrl' | 'qualityScore' | 'performanceMetrics' | 'reviews', unknown> &
    Record<'seo' | 'promotion' | 'featuredUntil' | 'seller' | 'licensing', unknown>
>({
  sellerId: { type: String, required: true },
  promptId: { type: String, required: true },
  title: { type: String, required: true },
  description: { type: String, required: true },
  shortDescription: { type: String },
  previewContent: { type: String },
  category: { type: String, required: true },
  tags: { type: [String], required: true },
  priceCredits: { type: Number, required: true, min: 1 },
  searchWords: { type: [String], required: true },
  status: { type: String, enum: LISTING_STATUSES, required: true },
  moderationStatus: { type: String, enum: MODERATION_STATUSES, required: true },
  submittedAt: { type: Date },
  moderationNotes: { type: String },
  moderatedBy: { type: String },
  moderatedAt: { type: Date },
  visibility: { type: String, enum: LISTING_VISIBILITIES, required: true },
  pausedAt: { type: Date },
  stock: { type: Number, min: 1 },
  viewCount: { type: Number, required: true, min: 0 },
  purchaseCount: { type: Number, required: true, min: 0 },
  refundCount: { type: Number, required: true, min: 0 },
  revenueCredits: { type: Number, required: true },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
  publishedAt: { type: Date },
  deletedAt: { type: Date },
  deletedBy: { type: String },
  deletedReason: { type: String },
  price: later,
  originalPriceCredits: { type: Number },
  discountBasisPoints: { type: Number },
  screenshots: { type: [String], default: undefined },
  demoUrl: { type: String },
  qualityScore: { type: Number },
  performanceMetrics: later,
  reviews: later,
  seo: later,
  promotion: later,
  featuredUntil: { type: Date },
  seller: later,
  licensing: later,
})
  .index({ promptId: 1 }, { unique: true, partialFilterExpression: { status: { $in: [...LIVE_STATUSES] } } })
  .index({ sellerId: 1, createdAt: 1, _id: 1 })
  .index({ sellerId: 1, status: 1, createdAt: 1, _id: 1 })
  .index({ status: 1, createdAt: 1, _id: 1 })
  .index({ status: 1, publishedAt: 1, _id: 1 })
  .index({ status: 1, priceCredits: 1, _id: 1 })
  .index({ status: 1, purchaseCount: 1, _id: 1 })
  .index({ status: 1, category: 1, publishedAt: 1, _id: 1 })
  .index({ status: 1, category: 1, priceCredits: 1, _id: 1 })
  .index({ status: 1, category: 1, purchaseCount: 1, _id: 1 })
  .index({ status: 1, searchWords: 1 });

export interface ListingSearch {
  readonly q?: string | undefined;
  readonly category?: string | undefined;
  readonly sort: keyof typeof SORTS;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

@Injectable()
export class ListingRepository extends Repository<Listing, 'sellerId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, {
      collection: 'marketplace_listings',
      schema,
      owner: ['sellerId'],
      onDuplicate: () =>
        new DomainError({
          kind: 'conflict',
          code: 'commerce.listing.exists',
          detail: 'This prompt has a listing already. Change that one, or delete it first.',
        }),
    });
  }

  /** What is on the marketplace. Every word of `q` must begin a word of the listing. */
  forSale({ q, category, sort, limit, cursor }: ListingSearch): Promise<Page<Listing>> {
    const words = q === undefined ? [] : searchWordsOf(q).slice(0, SEARCH_WORDS_PER_QUERY_MAX);
    if (q !== undefined && words.length === 0) return Promise.resolve({ items: [], nextCursor: null });
    const filter = {
      status: 'approved' as const,
      visibility: { $ne: 'hidden' as const },
      pausedAt: null,
      ...(category === undefined ? {} : { category }),
      // The words are letters and digits only: nothing in them to escape.
      ...(words.length > 0 ? { $and: words.map((word) => ({ searchWords: { $regex: `^${word}` } })) } : {}),
    };
    return this.pageAcrossOwners(filter as never, { limit, cursor, sort: SORTS[sort] }, 'public listing');
  }

  ofSeller(
    sellerId: string,
    status: ListingStatus | undefined,
    page: PageRequest<Listing>,
  ): Promise<Page<Listing>> {
    return this.page({ sellerId, ...(status ? { status } : {}) }, page);
  }

  withStatusAcrossOwners(status: ListingStatus, page: PageRequest<Listing>): Promise<Page<Listing>> {
    return this.pageAcrossOwners({ status }, page, 'moderation');
  }

  liveOfPrompt(promptId: Id<'prm'>, sellerId: Id<'usr'>): Promise<Listing | undefined> {
    return this.one({ promptId, sellerId, status: { $in: [...LIVE_STATUSES] } });
  }

  /**
   * Counts a sale or a refund. Counters are added to in place, since sales of one listing come at the same time;
   * the version grows with them, so that a `save` of an older state is refused and repeated.
   */
  async count(
    id: Id<'lst'>,
    add: { purchaseCount?: 1; refundCount?: 1; revenueCredits: number },
  ): Promise<void> {
    await this.model.collection.updateOne(
      { _id: id as never },
      { $inc: { ...add, version: 1 } },
      { session: currentSession() },
    );
  }
}
