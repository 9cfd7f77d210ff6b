import { Injectable } from '@nestjs/common';
import { Clock, DomainError, type Context } from '@atelier/kernel';
import { type ConfigOf, InjectConfig } from '@atelier/service';
import { AuditLog } from '../audit/audit-log.js';
import { identityConfig } from '../identity.config.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { LogInThrottle } from '../sessions/log-in-throttle.js';
import { isActive } from '../sessions/session.domain.js';
import { SessionRepository } from '../sessions/session.repository.js';
import type { User } from '../users/user.domain.js';

/**
 * Whether it is really the owner who asks, and not somebody with their access token: by the password, or by a
 * session that began just now. Passwords are counted with the log-ins, so that nobody can guess them here.
 */
@Injectable()
export class OwnerConfirmation {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly passwords: PasswordHasher,
    private readonly throttle: LogInThrottle,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    @InjectConfig(identityConfig) private readonly config: ConfigOf<typeof identityConfig>,
  ) {}

  /** Throws forbidden `identity.user.confirmation_wrong | confirmation_required`, too_many_requests, unavailable. */
  async assertOwner(user: User, password: string | undefined, context: Context): Promise<void> {
    if (password === undefined) {
      if (await this.hasSignedInJustNow(user, context)) return;
      throw confirmationRequired(this.config.FRESH_LOG_IN_MS_MAX);
    }
    const attempt = await this.throttle.begin(user.email ?? user.id, context.ipAddress, this.clock.now());
    const matches = await this.passwords.verify(password, user.passwordHash).catch(async (error: unknown) => {
      await this.throttle.forgive(attempt);
      throw error;
    });
    if (matches) return this.throttle.succeed(attempt);
    await this.audit.append(
      {
        action: 'log_in_failed',
        severity: 'high',
        userId: user.id,
        description: 'The deletion of the account was not confirmed: wrong password.',
      },
      context,
    );
    throw confirmationWrong();
  }

  private async hasSignedInJustNow(user: User, { actor }: Context): Promise<boolean> {
    if (actor.sessionId === undefined) return false;
    const now = this.clock.now();
    const session = await this.sessions.load(actor.sessionId, { userId: user.id });
    if (!session || !isActive(session, now)) return false;
    return now.getTime() - session.createdAt.getTime() <= this.config.FRESH_LOG_IN_MS_MAX;
  }
}

const confirmationRequired = (freshMsMax: number) =>
  new DomainError({
    kind: 'forbidden',
    code: 'identity.user.confirmation_required',
    detail: `Send your password, or sign in anew and repeat this within ${freshMsMax / 1_000} seconds. Nothing was deleted.`,
  });

const confirmationWrong = () =>
  new DomainError({
    kind: 'forbidden',
    code: 'identity.user.confirmation_wrong',
    detail: 'The password is wrong. Nothing was deleted.',
    errors: [{ pointer: '/password', detail: 'is wrong' }],
  });
