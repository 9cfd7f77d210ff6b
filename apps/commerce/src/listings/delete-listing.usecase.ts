import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { callerOf, isModerator } from '../caller.js';
import { deleteListing, listingNotFound } from './listing.domain.js';
import { ListingRepository } from './listing.repository.js';

/**
 * The seller, or a moderator, deletes a listing. Who bought it keeps it.
 * Emits: ListingWithdrawn.
 * Fails with: commerce.listing.not_found.
 */
@UseCase('commerce.delete-listing')
export class DeleteListing {
  constructor(
    private readonly listings: ListingRepository,
    private readonly clock: Clock,
  ) {}

  async execute(listingId: string, context: Context): Promise<void> {
    const caller = callerOf(context);
    const listing = isModerator(context)
      ? await this.listings.loadAcrossOwners(listingId, 'moderation')
      : await this.listings.load(listingId, { sellerId: caller });
    if (!listing || listing.status === 'deleted') throw listingNotFound();
    const reason = listing.sellerId === caller ? 'deleted by the seller' : 'deleted by a moderator';
    await this.listings.save(deleteListing(listing, caller, reason, this.clock.now()), context);
  }
}
