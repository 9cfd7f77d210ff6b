import { Clock, derivedId, type Context } from '@atelier/kernel';
import { afterCommit } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import type { Notification } from '../notifications/notification.domain.js';
import { queueEmail } from './email.domain.js';
import { EmailDispatch } from './email-dispatch.process.js';
import { EmailRepository } from './email.repository.js';

/** Leaves an e-mail for each notification in the log; they are sent once the transaction has committed. */
@UseCase('notifications.queue-emails')
export class QueueEmails {
  constructor(
    private readonly emails: EmailRepository,
    private readonly dispatch: EmailDispatch,
    private readonly clock: Clock,
  ) {}

  async execute(notifications: readonly Notification[], context: Context): Promise<void> {
    if (notifications.length === 0) return;
    const now = this.clock.now();
    const queued = notifications.map((notification) => {
      const id = derivedId('eml', notification.id, notification.createdAt);
      return queueEmail(id, notification, context, now).state;
    });
    // Ours from the start: nobody has to find and claim what is sent in the next moment.
    const claimed = this.dispatch.claim(queued, now);
    const emails = await this.emails.addAll(claimed ?? queued);
    afterCommit(() => (claimed ? this.dispatch.send(emails) : this.dispatch.wake()));
  }
}
