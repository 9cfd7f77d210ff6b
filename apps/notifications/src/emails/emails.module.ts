import { Module } from '@nestjs/common';
import { ShutdownSequence, type ConfigOf } from '@atelier/service';
import { notificationsConfig } from '../notifications.config.js';
import { RecipientsModule } from '../recipients/recipients.module.js';
import { ClaimDueEmails } from './claim-due-emails.usecase.js';
import { EmailDispatch } from './email-dispatch.process.js';
import { EmailRepository } from './email.repository.js';
import { MailboxMailer } from './mailbox-mailer.client.js';
import { Mailer } from './mailer.client.js';
import { QueueEmails } from './queue-emails.usecase.js';
import { RemoveEmailsOf } from './remove-emails-of.usecase.js';
import { SendEmails } from './send-emails.usecase.js';
import { SmtpMailer } from './smtp-mailer.client.js';

/** SMTP when there is a server, else the mailbox folder. */
const mailer = {
  provide: Mailer,
  inject: [notificationsConfig.token, ShutdownSequence],
  useFactory: (config: ConfigOf<typeof notificationsConfig>, shutdown: ShutdownSequence): Mailer => {
    const { SMTP_URL: url, MAIL_FROM: from } = config;
    const chosen = url
      ? new SmtpMailer({
          url,
          from,
          timeoutMs: config.SMTP_TIMEOUT_MS,
          deliveryTimeoutMs: config.SMTP_DELIVERY_TIMEOUT_MS,
          connectionsMax: config.SMTP_CONNECTIONS_MAX,
        })
      : new MailboxMailer(config.MAILBOX_DIR, from);
    // After the jobs: nobody sends any more.
    shutdown.add('database', 'mailer', () => chosen.close());
    return chosen;
  },
};

@Module({
  imports: [RecipientsModule],
  providers: [
    EmailRepository,
    mailer,
    ClaimDueEmails,
    SendEmails,
    EmailDispatch,
    QueueEmails,
    RemoveEmailsOf,
  ],
  exports: [QueueEmails, RemoveEmailsOf],
})
export class EmailsModule {}
