import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, type Context } from '@atelier/kernel';
import { runInContext } from '@atelier/observability';
import { BackgroundLoop, InjectConfig, ShutdownSequence, type ConfigOf } from '@atelier/service';
import { notificationsConfig } from '../notifications.config.js';
import type { Email } from './email.domain.js';
import { EmailRepository } from './email.repository.js';
import { SendEmail } from './send-email.usecase.js';

/** Sends what is due, a batch at a time. Several replicas may: a claim is one's alone. */
@Injectable()
export class EmailDispatch implements OnApplicationBootstrap {
  private readonly log = new Logger('email dispatch');
  private readonly loop: BackgroundLoop;

  constructor(
    private readonly emails: EmailRepository,
    private readonly sendEmail: SendEmail,
    private readonly clock: Clock,
    @InjectConfig(notificationsConfig) private readonly config: ConfigOf<typeof notificationsConfig>,
    private readonly shutdown: ShutdownSequence,
  ) {
    this.loop = new BackgroundLoop('email dispatch', config.EMAIL_POLL_MS, () => this.sendBatch());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
    this.shutdown.add('jobs', 'email dispatch', () => this.loop.stop());
  }

  wake(): void {
    this.loop.wake();
  }

  private async sendBatch(): Promise<boolean> {
    const { EMAIL_BATCH_MAX } = this.config;
    const due = await this.emails.dueAcrossOwners(this.clock.now(), EMAIL_BATCH_MAX, 'system');
    const sent = await Promise.all(due.map((email) => this.send(email)));
    return due.length === EMAIL_BATCH_MAX && sent.every(Boolean);
  }

  /** False when something of ours broke: the lease ends, and the e-mail is tried again. */
  private async send(email: Email): Promise<boolean> {
    const context: Context = {
      actor: { kind: 'service', id: 'notifications' },
      correlationId: email.correlationId,
      causationId: email.sourceEventId,
    };
    try {
      await runInContext(context, () => this.sendEmail.execute(email, context));
      return true;
    } catch (error) {
      this.log.warn(`${email.id}: ${error instanceof Error ? error.name : 'unknown error'}`);
      return false;
    }
  }
}
