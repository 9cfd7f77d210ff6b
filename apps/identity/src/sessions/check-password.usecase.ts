import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { AuditLog, type AuditEntry } from '../audit/audit-log.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { User } from '../users/user.domain.js';
import { LogInThrottle, TooManyLogIns, type LogInAttempt } from './log-in-throttle.js';

export interface PasswordCheck {
  /** What is counted: the address that was named, whether or not somebody has it. */
  readonly email: string;
  /** Who has it, if anybody. */
  readonly user: User | undefined;
  readonly password: string;
  /** How a wrong password is recorded. */
  readonly failure: Pick<AuditEntry, 'severity' | 'description'>;
}

/**
 * The one place where passwords are compared: counted first, so that nobody guesses at another door what this one
 * refuses; failures and lock-outs are recorded. Answers whether the password is right.
 *
 * Emits: nothing
 * Fails with: identity.login.too_many_attempts, identity.password.busy
 */
@UseCase('identity.check-password')
export class CheckPassword {
  constructor(
    private readonly passwords: PasswordHasher,
    private readonly throttle: LogInThrottle,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  async execute(check: PasswordCheck, context: Context): Promise<boolean> {
    const { user, password, failure } = check;
    const attempt = await this.begin(check, context);
    const isRight = await this.passwords
      .verify(password, user?.passwordHash)
      .catch(async (error: unknown) => {
        await this.throttle.forgive(attempt);
        throw error;
      });
    if (isRight) await this.throttle.succeed(attempt);
    else await this.audit.append({ action: 'log_in_failed', ...concerning(user), ...failure }, context);
    return isRight;
  }

  private async begin({ email, user }: PasswordCheck, context: Context): Promise<LogInAttempt> {
    try {
      return await this.throttle.begin(email, context.ipAddress, this.clock.now());
    } catch (error) {
      if (error instanceof TooManyLogIns && error.first) {
        await this.audit.append(
          {
            action: 'log_in_locked_out',
            severity: 'high',
            ...(error.scope === 'account' ? concerning(user) : {}),
            description: `Too many log-ins failed; this ${error.scope} has to wait.`,
            metadata: { scope: error.scope, retryAfterSeconds: error.retryAfterSeconds ?? 0 },
          },
          context,
        );
      }
      throw error;
    }
  }
}

const concerning = (user: User | undefined) => (user ? { userId: user.id } : {});
