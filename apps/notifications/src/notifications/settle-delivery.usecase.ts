import type { DeliveryStatus, NotificationChannel } from '@atelier/contracts/notifications/notifications.api';
import { Clock } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
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

  execute({ notificationId, userId, channel, status }: SettleDeliveryInput): Promise<void> {
    return this.notifications.settleDelivery(notificationId, userId, channel, status, this.clock.now());
  }
}
