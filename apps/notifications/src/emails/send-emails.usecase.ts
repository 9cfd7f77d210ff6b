import { Logger } from '@nestjs/common';
import { Clock, VersionConflict, type Change } from '@atelier/kernel';
import { counter, runInContext } from '@atelier/observability';
import { InjectConfig, UseCase, type ConfigOf } from '@atelier/service';
import { notificationsConfig } from '../notifications.config.js';
import type { Recipient } from '../recipients/recipient.domain.js';
import { Recipients } from '../recipients/recipients.projection.js';
import {
  addressOf,
  contextOf,
  emailLimits,
  emailNotSent,
  emailSent,
  emailText,
  isDue,
  type Email,
  type EmailFailure,
} from './email.domain.js';
import { EmailRepository } from './email.repository.js';
import { Mailer, MailNotSent } from './mailer.client.js';

const attempts = counter('atelier_email_attempts_total', 'Attempts to hand an e-mail over, by outcome.', [
  'outcome',
]);

/**
 * One attempt to hand over each of some claimed e-mails: finds the addresses, sends side by side, notes the outcomes.
 * Claims and outcomes are saved apart, since nothing may hold a transaction while a mail server answers. Who dies in
 * between leaves the e-mails to the next sender, who repeats them under the same Message-IDs.
 * Emits: DeliverySent or DeliveryFailed.
 */
@UseCase('notifications.send-emails')
export class SendEmails {
  private readonly log = new Logger('send e-mails');

  constructor(
    private readonly emails: EmailRepository,
    private readonly recipients: Recipients,
    private readonly mailer: Mailer,
    private readonly clock: Clock,
    @InjectConfig(notificationsConfig) private readonly config: ConfigOf<typeof notificationsConfig>,
  ) {}

  /** Answers when the first of those that were not sent may be tried again. */
  async execute(claimed: readonly Email[]): Promise<Date | undefined> {
    const people = await this.recipients.find(claimed.map(({ userId }) => userId));
    // A lease that ended while the claim was stored is anybody's.
    const held = claimed.filter((email) => !isDue(email, this.clock.now()));
    const changes = await Promise.all(
      held.map((email) =>
        runInContext(contextOf(email), () => this.attempt(email, people.get(email.userId))),
      ),
    );
    await this.note(changes);
    return changes
      .flatMap(({ state }) => state.nextAttemptAt ?? [])
      .reduce<Date | undefined>((first, at) => (first && first < at ? first : at), undefined);
  }

  private async attempt(email: Email, recipient: Recipient | undefined): Promise<Change<Email>> {
    const outcome = await this.handOver(email, recipient);
    const now = this.clock.now();
    attempts.inc({ outcome: 'messageId' in outcome ? 'sent' : outcome.code });
    return 'messageId' in outcome
      ? emailSent(email, outcome.to, outcome.messageId, now)
      : emailNotSent(email, outcome, emailLimits(this.config), now);
  }

  private async handOver(
    email: Email,
    recipient: Recipient | undefined,
  ): Promise<{ to: string; messageId: string } | EmailFailure> {
    const to = addressOf(recipient);
    if (typeof to !== 'string') return to;
    const { displayName } = recipient!;
    try {
      const { messageId } = await this.mailer.send({
        id: email.id,
        to: { name: displayName, address: to },
        subject: email.subject,
        text: emailText(email, displayName, this.config.PUBLIC_URL),
      });
      return { to, messageId };
    } catch (error) {
      if (error instanceof MailNotSent) return error;
      this.log.warn(`${email.id}: ${error instanceof Error ? error.name : 'unknown error'}`);
      return { code: 'internal_error', permanent: false };
    }
  }

  /** Together; apart when one was removed or taken over meanwhile, so that it is the only one that is not noted. */
  private async note(changes: readonly Change<Email>[]): Promise<void> {
    try {
      await this.emails.saveAll(changes);
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
      if (changes.length > 1) for (const change of changes) await this.note([change]);
    }
  }
}
