import { UseCase } from '@atelier/service';
import { RemoveEmailsOf } from '../emails/remove-emails-of.usecase.js';
import { NotificationRepository } from './notification.repository.js';

/** Removes what a person was told, in the app and by e-mail (R488): their account was deleted. */
@UseCase('notifications.remove-notifications-of')
export class RemoveNotificationsOf {
  constructor(
    private readonly notifications: NotificationRepository,
    private readonly removeEmailsOf: RemoveEmailsOf,
  ) {}

  async execute(userId: string): Promise<void> {
    await this.notifications.removeAllOf(userId);
    await this.removeEmailsOf.execute(userId);
  }
}
