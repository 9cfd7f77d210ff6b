import { ListingPublished } from '@atelier/contracts/commerce/listing.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { ListOnMarketplace } from './list-on-marketplace.usecase.js';

/** An approved listing puts its prompt on the marketplace. */
@Consumer({ id: 'catalog.on-listing-published', group: 'catalog.prompts', consumes: ListingPublished })
export class OnListingPublished implements Consumes<typeof ListingPublished> {
  constructor(private readonly listOnMarketplace: ListOnMarketplace) {}

  handle({ data, time }: EventOf<typeof ListingPublished>, context: Context): Promise<void> {
    const { promptId, sellerId, listingId, priceCredits } = data;
    const listedAt = new Date(time);
    return this.listOnMarketplace.execute({ promptId, sellerId, listingId, priceCredits, listedAt }, context);
  }
}
