import type { UpdateListingRequest } from '@atelier/contracts/commerce/listings.api';
import { Clock, type Context } from '@atelier/kernel';
import { assertVersion, UseCase } from '@atelier/service';
import { callerOf } from '../caller.js';
import { editListing, listingNotFound, type Listing } from './listing.domain.js';
import { ListingRepository } from './listing.repository.js';

/**
 * Changes a draft or a rejected listing, which is a draft then.
 * Emits: nothing.
 * Fails with: commerce.listing.not_found, commerce.listing.not_editable, platform.precondition.failed.
 */
@UseCase('commerce.edit-listing')
export class EditListing {
  constructor(
    private readonly listings: ListingRepository,
    private readonly clock: Clock,
  ) {}

  async execute(
    input: { listingId: string; expectedVersion: number; changes: UpdateListingRequest },
    context: Context,
  ): Promise<Listing> {
    const listing = await this.listings.load(input.listingId, { sellerId: callerOf(context) });
    if (!listing || listing.status === 'deleted') throw listingNotFound();
    assertVersion(input.expectedVersion, listing.version);
    return this.listings.save(editListing(listing, input.changes, this.clock.now()), context);
  }
}
