import { Clock, DomainError, type Context } from '@atelier/kernel';
import { type ConfigOf, InjectConfig, UseCase } from '@atelier/service';
import { identityConfig } from '../identity.config.js';
import type { User } from '../users/user.domain.js';
import { CheckPassword } from './check-password.usecase.js';
import { isActive } from './session.domain.js';
import { SessionRepository } from './session.repository.js';

/**
 * Whether it is really the owner who asks for the deletion, and not somebody with their access token: by the
 * password, or by a session that began just now. Passwords are counted with the log-ins.
 *
 * Emits: nothing
 * Fails with: identity.user.confirmation_wrong | confirmation_required, identity.login.too_many_attempts,
 * identity.password.busy
 */
@UseCase('identity.confirm-owner')
export class ConfirmOwner {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly checkPassword: CheckPassword,
    private readonly clock: Clock,
    @InjectConfig(identityConfig) private readonly config: ConfigOf<typeof identityConfig>,
  ) {}

  async execute(user: User, password: string | undefined, context: Context): Promise<void> {
    if (password === undefined) {
      if (await this.hasSignedInJustNow(user, context)) return;
      throw confirmationRequired(this.config.FRESH_LOG_IN_MS_MAX);
    }
    const failure = {
      severity: 'high',
      description: 'The deletion of the account was not confirmed: wrong password.',
    } as const;
    const check = { email: user.email ?? user.id, user, password, failure };
    if (!(await this.checkPassword.execute(check, context))) throw confirmationWrong();
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
