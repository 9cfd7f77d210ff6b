import { z } from 'zod';
import { creditsSchema, idSchema } from '@atelier/kernel';

/** R112 */
export const PURCHASE_PAYMENT_STATUSES = ['pending', 'completed', 'failed', 'refunded', 'disputed'] as const;
/** R113 */
export const FULFILLMENT_STATUSES = ['pending', 'delivered', 'failed'] as const;

/**
 * `POST /api/v1/marketplace/purchases`. 402 `ledger.credits.insufficient` with `available`, `held` and `required`;
 * 403 for the caller's own listing; 409 when it is owned already, paused or sold out.
 */
export const buyListingRequest = z.strictObject({ listingId: idSchema('lst') });
export type BuyListingRequest = z.infer<typeof buyListingRequest>;

/** `POST /api/v1/marketplace/purchases/{id}/refund`, for moderators. */
export const refundPurchaseRequest = z.strictObject({ reason: z.string().trim().min(1).max(500) });
export type RefundPurchaseRequest = z.infer<typeof refundPurchaseRequest>;

export const purchaseView = z.object({
  id: idSchema('pur'),
  listingId: idSchema('lst'),
  promptId: idSchema('prm'),
  title: z.string(),
  buyerId: idSchema('usr'),
  sellerId: idSchema('usr'),
  paymentStatus: z.enum(PURCHASE_PAYMENT_STATUSES),
  fulfillmentStatus: z.enum(FULFILLMENT_STATUSES),
  /** Price = platform fee + seller's earnings, to the credit (R111). */
  priceCredits: creditsSchema,
  platformFeeCredits: creditsSchema,
  sellerEarningsCredits: creditsSchema,
  failureReason: z.string().nullable(),
  refund: z
    .object({ amountCredits: creditsSchema, reason: z.string(), processedAt: z.iso.datetime() })
    .nullable(),
  createdAt: z.iso.datetime(),
  completedAt: z.iso.datetime().nullable(),
});
export type PurchaseView = z.infer<typeof purchaseView>;
