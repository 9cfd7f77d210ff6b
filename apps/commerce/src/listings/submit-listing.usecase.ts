import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { callerOf } from '../caller.js';
import { Prompts } from '../prompts/prompts.projection.js';
import {
  isSubmittedSince,
  listingNotFound,
  promptDeleted,
  submitListing,
  type Listing,
} from './listing.domain.js';
import { ListingRepository } from './listing.repository.js';

/**
 * The seller asks for a draft to be approved.
 * Emits: ListingSubmitted.
 * Fails with: commerce.listing.not_found, commerce.listing.transition, commerce.listing.prompt_deleted.
 */
@UseCase('commerce.submit-listing')
export class SubmitListing {
  constructor(
    private readonly listings: ListingRepository,
    private readonly prompts: Prompts,
    private readonly clock: Clock,
  ) {}

  async execute(listingId: string, context: Context): Promise<Listing> {
    const listing = await this.listings.load(listingId, { sellerId: callerOf(context) });
    if (!listing || listing.status === 'deleted') throw listingNotFound();
    const firstSeenAt = context.idempotency?.firstSeenAt;
    if (firstSeenAt && isSubmittedSince(listing, firstSeenAt)) return listing;
    // Drafted before the deletion was known, and so withdrawn by nobody.
    if (await this.prompts.isDeleted(listing.promptId)) throw promptDeleted();
    return this.listings.save(submitListing(listing, this.clock.now()), context);
  }
}
