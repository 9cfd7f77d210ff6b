import { Clock, type Context, type Page } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { Notification } from './notification.domain.js';
import { NotificationRepository } from './notification.repository.js';

export interface ListNotificationsInput {
  readonly unreadOnly: boolean;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/**
 * One page of the caller's own notifications that are not dismissed, newest first.
 * Fails with: platform.cursor.invalid
 */
@UseCase('notifications.list-notifications')
export class ListNotifications {
  constructor(
    private readonly notifications: NotificationRepository,
    private readonly clock: Clock,
  ) {}

  execute({ unreadOnly, ...page }: ListNotificationsInput, context: Context): Promise<Page<Notification>> {
    return this.notifications.list(context.actor.id, unreadOnly, this.clock.now(), page);
  }
}
