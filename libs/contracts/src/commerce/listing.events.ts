import { z } from 'zod';
import { creditsSchema, defineEvent, idSchema } from '@atelier/kernel';

const listing = z.object({
  listingId: idSchema('lst'),
  promptId: idSchema('prm'),
  sellerId: idSchema('usr'),
  title: z.string(),
  category: z.string(),
  priceCredits: creditsSchema,
});
const example = {
  listingId: 'lst_01m7y1j20qe008c1f3vesc43m3',
  promptId: 'prm_01m7y1j20qe008c1f3vesc43m3',
  sellerId: 'usr_01m7y1j20qe00tx1bzgqw12hbc',
  title: 'Product photo in a studio',
  category: 'image',
  priceCredits: 100,
} as const;

export const ListingSubmitted = defineEvent({
  type: 'commerce.listing.submitted.v1',
  summary: 'A seller asks for a listing to be approved.',
  data: listing,
  example,
});

export const ListingPublished = defineEvent({
  type: 'commerce.listing.published.v1',
  summary: 'A moderator approved a listing; it is on the marketplace.',
  data: listing.extend({ approvedBy: z.string() }),
  example: { ...example, approvedBy: 'usr_01m7y1j20qe008c1f3vesc43m4' },
});

export const ListingRejected = defineEvent({
  type: 'commerce.listing.rejected.v1',
  summary: 'A moderator refused a listing, with a reason for the seller.',
  data: listing.extend({ rejectedBy: z.string(), reason: z.string() }),
  example: {
    ...example,
    rejectedBy: 'usr_01m7y1j20qe008c1f3vesc43m4',
    reason: 'The preview shows another prompt.',
  },
});

export const ListingWithdrawn = defineEvent({
  type: 'commerce.listing.withdrawn.v1',
  summary: 'A listing is no longer on the marketplace: a moderator suspended it, or it was deleted.',
  data: listing.extend({
    how: z.enum(['suspended', 'deleted']),
    withdrawnBy: z.string(),
    reason: z.string(),
  }),
  example: {
    ...example,
    how: 'suspended',
    withdrawnBy: 'usr_01m7y1j20qe008c1f3vesc43m4',
    reason: 'Reported by several buyers.',
  },
});
