import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { NotifyPeople } from '../notifications/notify-people.usecase.js';
import { paymentSucceeded } from '../templates/payment-succeeded.domain.js';

/** The payer gets a receipt. */
@Consumer({
  id: 'notifications.on-payment-succeeded',
  group: 'notifications.inbox',
  consumes: PaymentSucceeded,
})
export class OnPaymentSucceeded implements Consumes<typeof PaymentSucceeded> {
  constructor(private readonly notifyPeople: NotifyPeople) {}

  handle(event: EventOf<typeof PaymentSucceeded>, context: Context): Promise<void> {
    return this.notifyPeople.execute(event, paymentSucceeded(event.data), context);
  }
}
