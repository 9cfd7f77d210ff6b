import { PaymentFailed } from '@atelier/contracts/commerce/payment.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { NotifyPeople } from '../notifications/notify-people.usecase.js';
import { paymentFailed } from '../templates/payment-failed.domain.js';

/** The payer learns that nothing was charged. */
@Consumer({ id: 'notifications.on-payment-failed', group: 'notifications.inbox', consumes: PaymentFailed })
export class OnPaymentFailed implements Consumes<typeof PaymentFailed> {
  constructor(private readonly notifyPeople: NotifyPeople) {}

  handle(event: EventOf<typeof PaymentFailed>, context: Context): Promise<void> {
    return this.notifyPeople.execute(event, paymentFailed(event.data), context);
  }
}
