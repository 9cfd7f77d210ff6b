import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { markRead, notificationNotFound, type Notification } from './notification.domain.js';
import { NotificationRepository } from './notification.repository.js';

/**
 * Marks one of the caller's notifications as read; the first time counts (R122).
 * Fails with: notifications.notification.not_found
 */
@UseCase('notifications.read-notification')
export class ReadNotification {
  constructor(
    private readonly notifications: NotificationRepository,
    private readonly clock: Clock,
  ) {}

  async execute(id: string, context: Context): Promise<Notification> {
    const notification = await this.notifications.load(id, { userId: context.actor.id });
    if (!notification) throw notificationNotFound(id);
    const change = markRead(notification, this.clock.now());
    return change ? this.notifications.save(change, context) : notification;
  }
}
