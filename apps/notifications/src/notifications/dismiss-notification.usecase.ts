import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { dismiss, notificationNotFound, type Notification } from './notification.domain.js';
import { NotificationRepository } from './notification.repository.js';

/**
 * Takes one of the caller's notifications out of the list; it stays as read or unread as it was (R122).
 * Fails with: notifications.notification.not_found
 */
@UseCase('notifications.dismiss-notification')
export class DismissNotification {
  constructor(
    private readonly notifications: NotificationRepository,
    private readonly clock: Clock,
  ) {}

  async execute(id: string, context: Context): Promise<Notification> {
    const notification = await this.notifications.load(id, { userId: context.actor.id });
    if (!notification) throw notificationNotFound(id);
    const change = dismiss(notification, this.clock.now());
    return change ? this.notifications.save(change, context) : notification;
  }
}
