import type { DeliveryStatus, NotificationChannel } from '@atelier/contracts/notifications/notifications.api';
import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { settleDelivery } from './notification.domain.js';
import { NotificationRepository } from './notification.repository.js';

export interface SettleDeliveryInput {
  readonly notificationId: string;
  readonly userId: string;
  readonly channel: NotificationChannel;
  readonly status: Exclude<DeliveryStatus, 'pending'>;
}

/** Notes on a notification how one of its channels ended (R123). One that is gone by now is nobody's loss. */
@UseCase('notifications.settle-delivery')
export class SettleDelivery {
  constructor(
    private readonly notifications: NotificationRepository,
    private readonly clock: Clock,
  ) {}

  async execute(input: SettleDeliveryInput, context: Context): Promise<void> {
    const { notificationId, userId, channel, status } = input;
    const notification = await this.notifications.load(notificationId, { userId });
    const change = notification && settleDelivery(notification, channel, status, this.clock.now());
    if (change) await this.notifications.save(change, context);
  }
}
