import { ListingPublished } from '@atelier/contracts/commerce/listing.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { NotifyPeople } from '../notifications/notify-people.usecase.js';
import { listingPublished } from '../templates/listing-published.domain.js';

/** The seller learns of the approval. */
@Consumer({
  id: 'notifications.on-listing-published',
  group: 'notifications.inbox',
  consumes: ListingPublished,
})
export class OnListingPublished implements Consumes<typeof ListingPublished> {
  constructor(private readonly notifyPeople: NotifyPeople) {}

  handle(event: EventOf<typeof ListingPublished>, context: Context): Promise<void> {
    return this.notifyPeople.execute(event, listingPublished(event.data), context);
  }
}
