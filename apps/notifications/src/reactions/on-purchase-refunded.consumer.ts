import { PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { NotifyPeople } from '../notifications/notify-people.usecase.js';
import { purchaseRefunded } from '../templates/purchase-refunded.domain.js';

/** Buyer and seller learn of a refund. */
@Consumer({
  id: 'notifications.on-purchase-refunded',
  group: 'notifications.inbox',
  consumes: PurchaseRefunded,
})
export class OnPurchaseRefunded implements Consumes<typeof PurchaseRefunded> {
  constructor(private readonly notifyPeople: NotifyPeople) {}

  handle(event: EventOf<typeof PurchaseRefunded>, context: Context): Promise<void> {
    return this.notifyPeople.execute(event, purchaseRefunded(event.data), context);
  }
}
