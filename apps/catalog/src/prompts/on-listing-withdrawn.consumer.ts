import { ListingWithdrawn } from '@atelier/contracts/commerce/listing.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { UnlistFromMarketplace } from './unlist-from-marketplace.usecase.js';

/** A withdrawn listing takes its prompt off the marketplace. */
@Consumer({ id: 'catalog.on-listing-withdrawn', group: 'catalog.prompts', consumes: ListingWithdrawn })
export class OnListingWithdrawn implements Consumes<typeof ListingWithdrawn> {
  constructor(private readonly unlistFromMarketplace: UnlistFromMarketplace) {}

  handle({ data }: EventOf<typeof ListingWithdrawn>, context: Context): Promise<void> {
    const { promptId, sellerId, listingId } = data;
    return this.unlistFromMarketplace.execute({ promptId, sellerId, listingId }, context);
  }
}
