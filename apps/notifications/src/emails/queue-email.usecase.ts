import { Clock, derivedId, type Context } from '@atelier/kernel';
import { afterCommit } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import type { Notification } from '../notifications/notification.domain.js';
import { queueEmail } from './email.domain.js';
import { EmailDispatch } from './email-dispatch.process.js';
import { EmailRepository } from './email.repository.js';

/** Leaves an e-mail for a notification in the log, where a sender finds it once the transaction has committed. */
@UseCase('notifications.queue-email')
export class QueueEmail {
  constructor(
    private readonly emails: EmailRepository,
    private readonly dispatch: EmailDispatch,
    private readonly clock: Clock,
  ) {}

  async execute(notification: Notification, context: Context): Promise<void> {
    const id = derivedId('eml', notification.id, notification.createdAt);
    await this.emails.save(queueEmail(id, notification, context, this.clock.now()), context);
    afterCommit(() => this.dispatch.wake());
  }
}
