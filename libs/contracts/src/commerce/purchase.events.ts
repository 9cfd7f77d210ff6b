import { z } from 'zod';
import { creditsSchema, defineEvent, idSchema } from '@atelier/kernel';

const purchase = z.object({
  purchaseId: idSchema('pur'),
  listingId: idSchema('lst'),
  promptId: idSchema('prm'),
  title: z.string(),
  buyerId: idSchema('usr'),
  sellerId: idSchema('usr'),
  /** The hold that pays for it. */
  holdId: idSchema('hld'),
  /** Price = platform fee + seller's earnings, to the credit. */
  priceCredits: creditsSchema,
  platformFeeCredits: creditsSchema,
  sellerEarningsCredits: creditsSchema,
});
const example = {
  purchaseId: 'pur_01m7y1j20qe008c1f3vesc43m3',
  listingId: 'lst_01m7y1j20qe008c1f3vesc43m3',
  promptId: 'prm_01m7y1j20qe008c1f3vesc43m3',
  title: 'Product photo in a studio',
  buyerId: 'usr_01m7y1j20qe008c1f3vesc43m3',
  sellerId: 'usr_01m7y1j20qe00tx1bzgqw12hbc',
  holdId: 'hld_01m7y1j20qe008c1f3vesc43m3',
  priceCredits: 100,
  platformFeeCredits: 20,
  sellerEarningsCredits: 80,
} as const;

export const PurchaseCompleted = defineEvent({
  type: 'commerce.purchase.completed.v1',
  summary: 'A buyer owns what was listed; the ledger captures the hold and pays the seller.',
  data: purchase.extend({ completedAt: z.iso.datetime() }),
  example: { ...example, completedAt: '2026-11-21T08:00:00.000Z' },
});

export const PurchaseFailed = defineEvent({
  type: 'commerce.purchase.failed.v1',
  summary: 'A purchase was given up before it was complete; a hold that it placed is released.',
  // Null in facts of earlier days only: a hold that was refused may have been placed by another request.
  data: purchase.omit({ holdId: true }).extend({ holdId: idSchema('hld').nullable(), reason: z.string() }),
  example: { ...example, holdId: null, reason: 'abandoned' },
});

export const PurchaseRefunded = defineEvent({
  type: 'commerce.purchase.refunded.v1',
  summary: 'A completed purchase was undone: the buyer has the credits back, every part is reversed.',
  data: purchase.extend({ refundedBy: z.string(), reason: z.string(), refundedAt: z.iso.datetime() }),
  example: {
    ...example,
    refundedBy: 'usr_01m7y1j20qe008c1f3vesc43m4',
    reason: 'Not as described.',
    refundedAt: '2026-11-21T09:00:00.000Z',
  },
});
