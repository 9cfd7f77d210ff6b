import { Clock, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { type ConfigOf, InjectConfig, UseCase } from '@atelier/service';
import { AuditLog } from '../audit/audit-log.js';
import { identityConfig } from '../identity.config.js';
import { AccessTokenSigner } from '../keys/access-token-signer.js';
import { UserRepository } from '../users/user.repository.js';
import { RefreshTokens } from './refresh-tokens.js';
import {
  endSession,
  isActive,
  judgeRefresh,
  reuseDetected,
  rotateSession,
  sessionInvalid,
  type Session,
} from './session.domain.js';
import { SessionRepository } from './session.repository.js';
import type { SignedInUser } from './start-session.usecase.js';

/**
 * Exchanges a refresh token for its successor and a new access token. A token that was exchanged before ends the
 * whole session, since a thief and the owner cannot be told apart; only within a short grace, for two tabs that
 * refresh at once, it gets the same successor again (promise 24).
 *
 * Emits: SessionEnded on reuse, and when the account may no longer sign in
 * Fails with: identity.session.invalid, identity.session.reuse_detected
 */
@UseCase('identity.refresh-session')
export class RefreshSession {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly users: UserRepository,
    private readonly audit: AuditLog,
    private readonly refreshTokens: RefreshTokens,
    private readonly accessTokens: AccessTokenSigner,
    private readonly database: Database,
    private readonly clock: Clock,
    @InjectConfig(identityConfig) private readonly config: ConfigOf<typeof identityConfig>,
  ) {}

  async execute(refreshToken: string, context: Context): Promise<SignedInUser> {
    const now = this.clock.now();
    const token = this.refreshTokens.read(refreshToken);
    const session = token && (await this.sessions.byFamily(token.familyHash));
    if (!session || !isActive(session, now)) throw sessionInvalid();

    const verdict = judgeRefresh(session, token.tokenHash, this.config.REFRESH_GRACE_MS, now);
    if (verdict === 'reuse') {
      await this.revoke(session, context, now);
      throw reuseDetected();
    }
    const user = await this.users.self(session.userId);
    if (user?.accountStatus !== 'active') {
      await this.sessions.save(endSession(session, 'account_closed', now), context);
      throw sessionInvalid();
    }
    const next = this.refreshTokens.next(token);
    if (verdict === 'rotate') {
      const limits = { idleMsMax: this.config.SESSION_IDLE_MS_MAX, ageMsMax: this.config.SESSION_AGE_MS_MAX };
      await this.sessions.save(rotateSession(session, next.tokenHash, limits, now), context);
    }
    const accessToken = await this.accessTokens.sign({ sub: user.id, sid: session.id, role: user.role }, now);
    return { user, accessToken, refreshToken: next.text };
  }

  private async revoke(session: Session, context: Context, now: Date): Promise<void> {
    await this.database.transaction(async () => {
      await this.sessions.save(endSession(session, 'reuse_detected', now), context);
      await this.audit.append(
        {
          action: 'refresh_reuse',
          severity: 'high',
          userId: session.userId,
          targetId: session.id,
          description: 'A refresh token was used a second time; its session was ended.',
        },
        context,
      );
    });
  }
}
