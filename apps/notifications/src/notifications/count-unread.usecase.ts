import { UNREAD_COUNT_MAX } from '@atelier/contracts/notifications/notifications.api';
import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { NotificationRepository } from './notification.repository.js';

/** How many of the caller's notifications are neither read nor dismissed; counts up to `UNREAD_COUNT_MAX`. */
@UseCase('notifications.count-unread')
export class CountUnread {
  constructor(
    private readonly notifications: NotificationRepository,
    private readonly clock: Clock,
  ) {}

  execute(context: Context): Promise<number> {
    return this.notifications.countUnread(context.actor.id, this.clock.now(), UNREAD_COUNT_MAX);
  }
}
