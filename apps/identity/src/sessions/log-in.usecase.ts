import type { LogInRequest } from '@atelier/contracts/identity/auth.api';
import { Clock, DomainError, PLATFORM_ROLES, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { AuditLog } from '../audit/audit-log.js';
import { assertMaySignIn, isDeleted, type User } from '../users/user.domain.js';
import { UserRepository } from '../users/user.repository.js';
import { CheckPassword } from './check-password.usecase.js';
import { StartSession, type SignedInUser } from './start-session.usecase.js';

/**
 * Signs a person in by e-mail and password. An unknown address, a wrong password and a deleted account get the
 * same answer after the same work.
 *
 * Emits: SessionEnded for the oldest session when there are too many
 * Fails with: identity.login.failed, identity.login.too_many_attempts, identity.user.suspended,
 * identity.user.pending, identity.password.busy
 */
@UseCase('identity.log-in')
export class LogIn {
  constructor(
    private readonly users: UserRepository,
    private readonly checkPassword: CheckPassword,
    private readonly audit: AuditLog,
    private readonly startSession: StartSession,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async execute({ email, password }: LogInRequest, context: Context): Promise<SignedInUser> {
    const user = await this.users.byEmail(email);
    const failure = {
      severity: 'medium',
      description: user ? 'A log-in failed: wrong password.' : 'A log-in failed: unknown e-mail address.',
    } as const;
    const isRight = await this.checkPassword.execute({ email, user, password, failure }, context);
    if (!isRight || !user) throw logInFailed();
    const signedIn = await this.database.transaction(() => this.signIn(user, context));
    if (signedIn) return signedIn;
    const current = await this.users.self(user.id);
    if (current && !isDeleted(current)) assertMaySignIn(current);
    throw logInFailed();
  }

  /** Undefined when the account is not active: the look at the password is slow, and it may be closed meanwhile. */
  private async signIn(user: User, context: Context): Promise<SignedInUser | undefined> {
    if (!(await this.users.countLogIn(user.id, this.clock.now()))) return undefined;
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
    return this.startSession.execute(user, context);
  }
}

const logInFailed = () =>
  new DomainError({
    kind: 'unauthenticated',
    code: 'identity.login.failed',
    detail: 'The e-mail address or the password is wrong.',
  });
