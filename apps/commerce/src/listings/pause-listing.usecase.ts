import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { callerOf } from '../caller.js';
import { listingNotFound, pauseListing, type Listing } from './listing.domain.js';
import { ListingRepository } from './listing.repository.js';

/**
 * The seller takes an approved listing off sale for a while, or puts it back.
 * Emits: nothing; it stays approved.
 * Fails with: commerce.listing.not_found, commerce.listing.not_for_sale.
 */
@UseCase('commerce.pause-listing')
export class PauseListing {
  constructor(
    private readonly listings: ListingRepository,
    private readonly clock: Clock,
  ) {}

  async execute(input: { listingId: string; paused: boolean }, context: Context): Promise<Listing> {
    const listing = await this.listings.load(input.listingId, { sellerId: callerOf(context) });
    if (!listing || listing.status === 'deleted') throw listingNotFound();
    return this.listings.save(pauseListing(listing, input.paused, this.clock.now()), context);
  }
}
