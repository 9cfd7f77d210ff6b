import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '@atelier/kernel';
import { BackgroundLoop, InjectConfig, ShutdownSequence, type ConfigOf } from '@atelier/service';
import { notificationsConfig } from '../notifications.config.js';
import { ClaimDueEmails } from './claim-due-emails.usecase.js';
import { claimEmail, emailLimits, type Email } from './email.domain.js';
import { SendEmails } from './send-emails.usecase.js';

/**
 * Sends what this replica has just queued, and by polling what is left: retries, what a sender that died has left,
 * and what came faster than it could be sent. Several replicas may: a claim is one's alone.
 */
@Injectable()
export class EmailDispatch implements OnApplicationBootstrap {
  private readonly log = new Logger('email dispatch');
  private readonly loop: BackgroundLoop;
  /** What is being sent without having been polled for. */
  private readonly sending = new Map<Promise<void>, number>();

  constructor(
    private readonly claimDueEmails: ClaimDueEmails,
    private readonly sendEmails: SendEmails,
    private readonly clock: Clock,
    @InjectConfig(notificationsConfig) private readonly config: ConfigOf<typeof notificationsConfig>,
    private readonly shutdown: ShutdownSequence,
  ) {
    this.loop = new BackgroundLoop('email dispatch', config.EMAIL_POLL_MS, () => this.sendDue());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
    this.shutdown.add('jobs', 'email dispatch', async () => {
      await Promise.all([this.loop.stop(), ...this.sending.keys()]);
    });
  }

  wake(): void {
    this.loop.wake();
  }

  /** New e-mails as this replica's own, to be sent as soon as they are stored; undefined when it has enough to send. */
  claim(emails: readonly Email[], now: Date): readonly Email[] | undefined {
    const count = [...this.sending.values()].reduce((sum, more) => sum + more, emails.length);
    if (count > this.config.EMAIL_BATCH_MAX) return undefined;
    return emails.map((email) => claimEmail(email, emailLimits(this.config), now).state);
  }

  /** Sends e-mails that are claimed. When something of ours breaks, their leases end, and they are tried again. */
  send(emails: readonly Email[]): void {
    const sending = this.sendAll(emails)
      .catch((error: unknown) => this.log.warn(error instanceof Error ? error.name : 'unknown error'))
      .finally(() => this.sending.delete(sending));
    this.sending.set(sending, emails.length);
  }

  private async sendDue(): Promise<boolean> {
    const { EMAIL_BATCH_MAX } = this.config;
    const emails = await this.claimDueEmails.execute(EMAIL_BATCH_MAX);
    if (emails.length > 0) await this.sendAll(emails);
    return emails.length === EMAIL_BATCH_MAX;
  }

  /** A retry that comes before the next poll has a timer. */
  private async sendAll(emails: readonly Email[]): Promise<void> {
    const retryAt = await this.sendEmails.execute(emails);
    const pauseMs = retryAt === undefined ? Infinity : retryAt.getTime() - this.clock.now().getTime();
    if (pauseMs < this.config.EMAIL_POLL_MS) setTimeout(() => this.wake(), Math.max(0, pauseMs) + 1).unref();
  }
}
