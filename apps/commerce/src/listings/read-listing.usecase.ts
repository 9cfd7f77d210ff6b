import type { Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { isModerator } from '../caller.js';
import { canSee, listingNotFound, type Listing } from './listing.domain.js';
import { ListingRepository } from './listing.repository.js';

/**
 * One listing, for those who may see it.
 * Fails with: commerce.listing.not_found.
 */
@UseCase('commerce.read-listing')
export class ReadListing {
  constructor(private readonly listings: ListingRepository) {}

  async execute(listingId: string, context: Context): Promise<Listing> {
    const listing = await this.listings.loadAcrossOwners(listingId, 'visibility is decided by the domain');
    if (!listing || !canSee(listing, { id: context.actor.id, isModerator: isModerator(context) }))
      throw listingNotFound();
    return listing;
  }
}
