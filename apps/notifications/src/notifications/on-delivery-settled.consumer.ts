import { DeliveryFailed, DeliverySent } from '@atelier/contracts/notifications/delivery.events';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { SettleDelivery } from './settle-delivery.usecase.js';

type Settled = typeof DeliverySent | typeof DeliveryFailed;

/** How an e-mail ended shows on its notification. */
@Consumer({
  id: 'notifications.on-delivery-settled',
  group: 'notifications.deliveries',
  consumes: [DeliverySent, DeliveryFailed],
})
export class OnDeliverySettled implements Consumes<Settled> {
  constructor(private readonly settleDelivery: SettleDelivery) {}

  handle({ data }: EventOf<Settled>): Promise<void> {
    const { notificationId, userId, channel } = data;
    const status = 'sentAt' in data ? 'sent' : 'failed';
    return this.settleDelivery.execute({ notificationId, userId, channel, status });
  }
}
