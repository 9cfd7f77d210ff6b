import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { NotificationRepository } from './notification.repository.js';

/** Marks all of the caller's notifications as read; what arrives meanwhile stays unread. */
@UseCase('notifications.read-all-notifications')
export class ReadAllNotifications {
  constructor(
    private readonly notifications: NotificationRepository,
    private readonly clock: Clock,
  ) {}

  /** Answers how many became read. */
  execute(context: Context): Promise<number> {
    return this.notifications.markAllRead(context.actor.id, this.clock.now());
  }
}
