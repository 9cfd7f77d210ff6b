import { Clock, type Context } from '@atelier/kernel';
import { counter } from '@atelier/observability';
import { InjectConfig, UseCase, type ConfigOf } from '@atelier/service';
import { notificationsConfig } from '../notifications.config.js';
import { Recipients } from '../recipients/recipients.projection.js';
import {
  addressOf,
  claimEmail,
  emailNotSent,
  emailSent,
  emailText,
  isDue,
  type Email,
  type EmailFailure,
  type EmailLimits,
} from './email.domain.js';
import { EmailRepository } from './email.repository.js';
import { Mailer, MailNotSent } from './mailer.client.js';

const attempts = counter('atelier_email_attempts_total', 'Attempts to hand an e-mail over, by outcome.', [
  'outcome',
]);

/**
 * One attempt to hand one e-mail over: claims it, finds the address, sends it, notes the outcome. The claim and the
 * outcome are saved apart, since nothing may hold a transaction while a mail server answers. Who dies in between
 * leaves the e-mail to the next sender, who repeats it under the same Message-ID.
 * Emits: DeliverySent or DeliveryFailed.
 */
@UseCase('notifications.send-email')
export class SendEmail {
  private readonly limits: EmailLimits;

  constructor(
    private readonly emails: EmailRepository,
    private readonly recipients: Recipients,
    private readonly mailer: Mailer,
    private readonly clock: Clock,
    @InjectConfig(notificationsConfig) private readonly config: ConfigOf<typeof notificationsConfig>,
  ) {
    this.limits = {
      leaseMs: config.EMAIL_LEASE_MS,
      attemptsMax: config.EMAIL_ATTEMPTS_MAX,
      backoffBaseMs: config.EMAIL_BACKOFF_BASE_MS,
      backoffMaxMs: config.EMAIL_BACKOFF_MAX_MS,
    };
  }

  async execute({ id, userId }: Pick<Email, 'id' | 'userId'>, context: Context): Promise<void> {
    const email = await this.emails.load(id, { userId });
    if (!email || !isDue(email, this.clock.now())) return;
    const claimed = await this.emails.save(claimEmail(email, this.limits, this.clock.now()), context);
    const outcome = await this.handOver(claimed);
    const now = this.clock.now();
    const change =
      'messageId' in outcome
        ? emailSent(claimed, outcome.to, outcome.messageId, now)
        : emailNotSent(claimed, outcome, this.limits, now);
    attempts.inc({ outcome: 'messageId' in outcome ? 'sent' : outcome.code });
    await this.emails.save(change, context);
  }

  private async handOver(email: Email): Promise<{ to: string; messageId: string } | EmailFailure> {
    const recipient = await this.recipients.find(email.userId);
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
      if (error instanceof MailNotSent) return { code: error.code, permanent: error.permanent };
      throw error;
    }
  }
}
