import { z } from 'zod';
import { creditsSchema, idSchema } from '@atelier/kernel';

/** R103: B's life cycle; A's `paused` and `sold_out` are flags (decisions). */
export const LISTING_STATUSES = ['draft', 'pending', 'approved', 'rejected', 'suspended', 'deleted'] as const;
/** R104 */
export const MODERATION_STATUSES = ['not_reviewed', 'under_review', 'approved', 'flagged'] as const;
/** R30 */
export const LISTING_VISIBILITIES = ['public', 'featured', 'hidden'] as const;
export const LISTING_SORTS = ['newest', 'price_asc', 'price_desc', 'popular'] as const;

export const LISTING_PRICE_CREDITS_MAX = 1_000_000;
export const LISTING_STOCK_MAX = 1_000;
const TAGS_MAX = 20;

const content = {
  title: z.string().trim().min(1).max(120),
  description: z.string().trim().min(1).max(5_000),
  shortDescription: z.string().trim().min(1).max(280).optional(),
  /** What everybody may see of the prompt before buying it. */
  previewContent: z.string().trim().min(1).max(2_000).optional(),
  /** Default: the prompt's own. */
  category: z.string().trim().toLowerCase().min(1).max(64).optional(),
  tags: z.array(z.string().trim().toLowerCase().min(1).max(32)).max(TAGS_MAX).optional(),
  priceCredits: creditsSchema.min(1).max(LISTING_PRICE_CREDITS_MAX),
  /** How many may be sold in all; without it there is no limit. */
  stock: z.int().min(1).max(LISTING_STOCK_MAX).optional(),
};

/** `POST /api/v1/marketplace/listings` */
export const createListingRequest = z.strictObject({ promptId: idSchema('prm'), ...content });
export type CreateListingRequest = z.infer<typeof createListingRequest>;

/** `PATCH /api/v1/marketplace/listings/{id}` with If-Match; at least one field. */
export const updateListingRequest = z
  .strictObject(content)
  .partial()
  .refine((fields) => Object.keys(fields).length > 0, { error: 'name at least one field to change' });
export type UpdateListingRequest = z.infer<typeof updateListingRequest>;

/** `POST …/{id}/reject` and `…/suspend` */
export const refuseListingRequest = z.strictObject({ reason: z.string().trim().min(1).max(500) });
export type RefuseListingRequest = z.infer<typeof refuseListingRequest>;

/**
 * Filters of `GET /api/v1/marketplace/listings`. Without `seller` and `status`: what is for sale. `seller=me`: the
 * caller's own, in any status. `status` alone: for moderators.
 */
export const listingFilters = {
  q: z.string().trim().min(1).max(100).optional(),
  category: z.string().trim().toLowerCase().min(1).max(64).optional(),
  sort: z.enum(LISTING_SORTS).default('newest'),
  seller: z.literal('me').optional(),
  status: z.enum(LISTING_STATUSES).optional(),
};

export const listingView = z.object({
  id: idSchema('lst'),
  promptId: idSchema('prm'),
  sellerId: idSchema('usr'),
  title: z.string(),
  description: z.string(),
  shortDescription: z.string().nullable(),
  previewContent: z.string().nullable(),
  category: z.string(),
  tags: z.array(z.string()),
  priceCredits: creditsSchema,
  status: z.enum(LISTING_STATUSES),
  moderationStatus: z.enum(MODERATION_STATUSES),
  /** Why a moderator refused it; only the seller and moderators see it. */
  moderationNotes: z.string().nullable(),
  visibility: z.enum(LISTING_VISIBILITIES),
  pausedAt: z.iso.datetime().nullable(),
  stock: z.int().nullable(),
  purchaseCount: z.int(),
  refundCount: z.int(),
  publishedAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type ListingView = z.infer<typeof listingView>;
