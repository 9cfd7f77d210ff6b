import { ListingRejected } from '@atelier/contracts/commerce/listing.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { NotifyPeople } from '../notifications/notify-people.usecase.js';
import { listingRejected } from '../templates/listing-rejected.domain.js';

/** The seller learns of the refusal and its reason. */
@Consumer({
  id: 'notifications.on-listing-rejected',
  group: 'notifications.inbox',
  consumes: ListingRejected,
})
export class OnListingRejected implements Consumes<typeof ListingRejected> {
  constructor(private readonly notifyPeople: NotifyPeople) {}

  handle(event: EventOf<typeof ListingRejected>, context: Context): Promise<void> {
    return this.notifyPeople.execute(event, listingRejected(event.data), context);
  }
}
