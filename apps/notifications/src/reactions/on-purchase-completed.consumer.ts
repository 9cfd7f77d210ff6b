import { PurchaseCompleted } from '@atelier/contracts/commerce/purchase.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { NotifyPeople } from '../notifications/notify-people.usecase.js';
import { purchaseCompleted } from '../templates/purchase-completed.domain.js';

/** Buyer and seller learn of a sale. */
@Consumer({
  id: 'notifications.on-purchase-completed',
  group: 'notifications.inbox',
  consumes: PurchaseCompleted,
})
export class OnPurchaseCompleted implements Consumes<typeof PurchaseCompleted> {
  constructor(private readonly notifyPeople: NotifyPeople) {}

  handle(event: EventOf<typeof PurchaseCompleted>, context: Context): Promise<void> {
    return this.notifyPeople.execute(event, purchaseCompleted(event.data), context);
  }
}
