import type { LogInRequest } from '@atelier/contracts/identity/auth.api';
import { Clock, DomainError, PLATFORM_ROLES, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { AuditLog } from '../audit/audit-log.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { assertMaySignIn, type User } from '../users/user.domain.js';
import { UserRepository } from '../users/user.repository.js';
import { LogInThrottle, TooManyLogIns, type LogInAttempt } from './log-in-throttle.js';
import { StartSession, type SignedInUser } from './start-session.usecase.js';

/**
 * Signs a person in by e-mail and password. An unknown address, a wrong password and a deleted account get the
 * same answer after the same work.
 *
 * Emits: nothing
 * Fails with: identity.login.failed, identity.login.too_many_attempts, identity.user.suspended,
 * identity.password.busy
 */
@UseCase('identity.log-in')
export class LogIn {
  constructor(
    private readonly users: UserRepository,
    private readonly passwords: PasswordHasher,
    private readonly throttle: LogInThrottle,
    private readonly audit: AuditLog,
    private readonly startSession: StartSession,
    private readonly clock: Clock,
  ) {}

  async execute({ email, password }: LogInRequest, context: Context): Promise<SignedInUser> {
    const user = await this.users.byEmail(email);
    const attempt = await this.begin(email, user, context);
    if (!(await this.matches(password, user, attempt)) || !user) throw await this.refused(user, context);
    await this.throttle.succeed(attempt);
    assertMaySignIn(user);

    const now = this.clock.now();
    const isAdmin = PLATFORM_ROLES.indexOf(user.role) >= PLATFORM_ROLES.indexOf('admin');
    await this.audit.append(
      {
        action: isAdmin ? 'admin_login' : 'log_in',
        severity: 'low',
        userId: user.id,
        description: 'Signed in with e-mail and password.',
      },
      context,
    );
    await this.users.countLogIn(user.id, now);
    return this.startSession.execute(user, context);
  }

  private async begin(email: string, user: User | undefined, context: Context): Promise<LogInAttempt> {
    try {
      return await this.throttle.begin(email, context.ipAddress, this.clock.now());
    } catch (error) {
      if (error instanceof TooManyLogIns && error.first) {
        await this.audit.append(
          {
            action: 'log_in_locked_out',
            severity: 'high',
            ...(user && error.scope === 'account' ? { userId: user.id } : {}),
            description: `Too many log-ins failed; this ${error.scope} has to wait.`,
            metadata: { scope: error.scope, retryAfterSeconds: error.retryAfterSeconds ?? 0 },
          },
          context,
        );
      }
      throw error;
    }
  }

  private async matches(password: string, user: User | undefined, attempt: LogInAttempt): Promise<boolean> {
    const exists = user !== undefined && user.accountStatus !== 'deleted';
    try {
      return await this.passwords.verify(password, exists ? user.passwordHash : undefined);
    } catch (error) {
      await this.throttle.forgive(attempt);
      throw error;
    }
  }

  private async refused(user: User | undefined, context: Context): Promise<DomainError> {
    await this.audit.append(
      {
        action: 'log_in_failed',
        severity: 'medium',
        ...(user ? { userId: user.id } : {}),
        description: user ? 'A log-in failed: wrong password.' : 'A log-in failed: unknown e-mail address.',
      },
      context,
    );
    return new DomainError({
      kind: 'unauthenticated',
      code: 'identity.login.failed',
      detail: 'The e-mail address or the password is wrong.',
    });
  }
}
