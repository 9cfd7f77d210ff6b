import { Clock, derivedId, type Context, type EventEnvelope } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { QueueEmail } from '../emails/queue-email.usecase.js';
import type { News } from '../templates/news.domain.js';
import { createNotification } from './notification.domain.js';
import { NotificationRepository } from './notification.repository.js';

/**
 * Tells people about a fact: a row in the inbox of each, and an e-mail in the queue where the news asks for one.
 * Who was told of this fact before is not told again, whatever brought it here twice.
 */
@UseCase('notifications.notify-people')
export class NotifyPeople {
  constructor(
    private readonly notifications: NotificationRepository,
    private readonly queueEmail: QueueEmail,
    private readonly clock: Clock,
  ) {}

  async execute(
    fact: Pick<EventEnvelope, 'id' | 'time'>,
    news: readonly News[],
    context: Context,
  ): Promise<void> {
    for (const item of news) {
      const id = derivedId('ntf', `${fact.id}:${item.recipientId}`, new Date(fact.time));
      if (await this.notifications.load(id, { userId: item.recipientId })) continue;
      const change = createNotification(id, item, fact.id, this.clock.now());
      const notification = await this.notifications.save(change, context);
      if (item.channels.includes('email')) await this.queueEmail.execute(notification, context);
    }
  }
}
