import { Clock, VersionConflict, type Context } from '@atelier/kernel';
import { InjectConfig, UseCase, type ConfigOf } from '@atelier/service';
import { notificationsConfig } from '../notifications.config.js';
import { claimEmail, contextOf, emailLimits, type Email } from './email.domain.js';
import { EmailRepository } from './email.repository.js';

/** Takes e-mails that wait for a sender, the longest first. Of several senders, each e-mail is one's. */
@UseCase('notifications.claim-due-emails')
export class ClaimDueEmails {
  constructor(
    private readonly emails: EmailRepository,
    private readonly clock: Clock,
    @InjectConfig(notificationsConfig) private readonly config: ConfigOf<typeof notificationsConfig>,
  ) {}

  async execute(countMax: number): Promise<readonly Email[]> {
    const now = this.clock.now();
    const due = await this.emails.dueAcrossOwners(now, countMax, 'system');
    const claims = await Promise.all(due.map((email) => this.claim(email, now, contextOf(email))));
    return claims.filter((claim) => claim !== undefined);
  }

  /** Undefined when another was faster. */
  private async claim(email: Email, now: Date, context: Context): Promise<Email | undefined> {
    try {
      return await this.emails.save(claimEmail(email, emailLimits(this.config), now), context);
    } catch (error) {
      if (error instanceof VersionConflict) return undefined;
      throw error;
    }
  }
}
