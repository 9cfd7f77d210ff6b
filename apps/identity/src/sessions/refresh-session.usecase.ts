import { Clock, VersionConflict, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { type ConfigOf, InjectConfig, UseCase } from '@atelier/service';
import { AuditLog } from '../audit/audit-log.js';
import { identityConfig } from '../identity.config.js';
import { AccessTokenSigner } from '../keys/access-token-signer.js';
import { UserRepository } from '../users/user.repository.js';
import { RefreshTokens, type RefreshToken } from './refresh-tokens.js';
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
 * whole session, since a thief and the owner cannot be told apart. Only two tabs that refresh at once, one before
 * the other has its answer, get the same successor (promise 24). Who lost an answer repeats with its Idempotency-Key.
 *
 * Emits: SessionEnded on reuse, and when the account may no longer sign in
 * Fails with: identity.session.invalid, identity.session.reuse_detected
 */
@UseCase('identity.refresh-session')
export class RefreshSession {
  /** By the hash of the token: as many as there are requests at work. */
  private readonly exchanges = new Map<string, Promise<SignedInUser>>();

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

  /** Who sends the same token while it is being exchanged gets the same answer. */
  async execute(refreshToken: string, context: Context): Promise<SignedInUser> {
    const token = this.refreshTokens.read(refreshToken);
    if (!token) throw sessionInvalid();
    const underWay = this.exchanges.get(token.tokenHash);
    if (underWay) return underWay;
    const exchange = this.exchange(token, context).finally(() => this.exchanges.delete(token.tokenHash));
    this.exchanges.set(token.tokenHash, exchange);
    return exchange;
  }

  private async exchange(token: RefreshToken, context: Context): Promise<SignedInUser> {
    // Taken before anything is read: whoever came before another replica's exchange was done did not come after it.
    const now = this.clock.now();
    const session = await this.sessions.byFamily(token.familyHash);
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
    if (verdict === 'rotate') await this.rotate(session, next, context);
    const accessToken = await this.accessTokens.sign({ sub: user.id, sid: session.id, role: user.role }, now);
    return { user, accessToken, refreshToken: next.text };
  }

  private async rotate(session: Session, next: RefreshToken, context: Context): Promise<void> {
    const limits = { idleMsMax: this.config.SESSION_IDLE_MS_MAX, ageMsMax: this.config.SESSION_AGE_MS_MAX };
    const rotated = rotateSession(session, next.tokenHash, limits, this.clock.now());
    try {
      await this.sessions.save(rotated, context);
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
      // Another replica was faster. Running again would come after its exchange, and look like reuse.
      const stored = await this.sessions.byFamily(session.familyHash);
      if (stored?.tokenHash !== next.tokenHash || stored.endedAt) throw error;
    }
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
