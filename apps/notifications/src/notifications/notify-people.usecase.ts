import { Clock, derivedId, type Context, type EventEnvelope } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { QueueEmails } from '../emails/queue-emails.usecase.js';
import { Recipients } from '../recipients/recipients.projection.js';
import type { News } from '../templates/news.domain.js';
import { createNotification } from './notification.domain.js';
import { NotificationRepository } from './notification.repository.js';

/**
 * Tells people about a fact: a row in the inbox of each, and an e-mail in the queue where the news asks for one.
 * Who was told of this fact before is not told again, whatever brought it here twice; who has left is told nothing.
 */
@UseCase('notifications.notify-people')
export class NotifyPeople {
  constructor(
    private readonly notifications: NotificationRepository,
    private readonly recipients: Recipients,
    private readonly queueEmails: QueueEmails,
    private readonly clock: Clock,
  ) {}

  async execute(
    fact: Pick<EventEnvelope, 'id' | 'time'>,
    news: readonly News[],
    context: Context,
  ): Promise<void> {
    const now = this.clock.now();
    const people = await this.recipients.find(news.map(({ recipientId }) => recipientId));
    const wanted = news.filter(({ recipientId }) => people.get(recipientId)?.accountStatus !== 'deleted');
    const added = await this.notifications.addMissing(
      wanted.map((item) => {
        const id = derivedId('ntf', `${fact.id}:${item.recipientId}`, new Date(fact.time));
        return createNotification(id, item, fact.id, now).state;
      }),
    );
    const byEmail = added.filter(({ deliveryChannels }) => deliveryChannels.includes('email'));
    await this.queueEmails.execute(byEmail, context);
  }
}
