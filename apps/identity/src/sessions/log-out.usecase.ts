import { Clock, DomainError, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { AuditLog } from '../audit/audit-log.js';
import { RefreshTokens } from './refresh-tokens.js';
import { endSession, isActive, type Session } from './session.domain.js';
import { SessionRepository } from './session.repository.js';

/**
 * Ends a session: the refresh token's, or else the one that asks. A session that is over, or that nobody knows, is
 * no error (RFC 7009, 2.2). Access tokens that are out expire within their few minutes.
 *
 * Emits: SessionEnded
 * Fails with: identity.session.not_named
 */
@UseCase('identity.log-out')
export class LogOut {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly audit: AuditLog,
    private readonly refreshTokens: RefreshTokens,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async execute(refreshToken: string | undefined, context: Context): Promise<void> {
    const now = this.clock.now();
    const session = await this.find(refreshToken, context);
    if (!session || !isActive(session, now)) return;
    await this.database.transaction(async () => {
      await this.sessions.save(endSession(session, 'logged_out', now), context);
      await this.audit.append(
        {
          action: 'log_out',
          severity: 'low',
          userId: session.userId,
          targetId: session.id,
          description: 'Signed out.',
        },
        context,
      );
    });
  }

  private async find(refreshToken: string | undefined, { actor }: Context): Promise<Session | undefined> {
    if (refreshToken !== undefined) {
      const token = this.refreshTokens.read(refreshToken);
      return token && this.sessions.byFamily(token.familyHash);
    }
    if (actor.sessionId !== undefined) return this.sessions.load(actor.sessionId, { userId: actor.id });
    throw new DomainError({
      kind: 'unauthenticated',
      code: 'identity.session.not_named',
      detail: 'Send the refresh token of the session, or an access token.',
    });
  }
}
