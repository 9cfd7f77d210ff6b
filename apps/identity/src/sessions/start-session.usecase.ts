import { Clock, newId, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { type ConfigOf, InjectConfig, UseCase } from '@atelier/service';
import { identityConfig } from '../identity.config.js';
import { AccessTokenSigner } from '../keys/access-token-signer.js';
import type { User } from '../users/user.domain.js';
import { RefreshTokens } from './refresh-tokens.js';
import { endSession, startSession, type Session, type SessionStart } from './session.domain.js';
import { SessionRepository } from './session.repository.js';

/** Somebody who is signed in, and the tokens that show it. */
export interface SignedInUser {
  readonly user: User;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/**
 * Signs in somebody who has proved who they are. The session's id is always new: a repeated request cannot be
 * given the tokens of its first run, which nobody stored. Whoever has too many sessions loses the oldest.
 *
 * Emits: SessionEnded for the oldest
 * Fails with: nothing of its own
 */
@UseCase('identity.start-session')
export class StartSession {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly refreshTokens: RefreshTokens,
    private readonly accessTokens: AccessTokenSigner,
    private readonly database: Database,
    private readonly clock: Clock,
    @InjectConfig(identityConfig) private readonly config: ConfigOf<typeof identityConfig>,
  ) {}

  async execute(user: User, context: Context): Promise<SignedInUser> {
    const now = this.clock.now();
    const { text: refreshToken, familyHash, tokenHash } = this.refreshTokens.first();
    const { ipAddress, userAgent } = context;
    const input = { id: newId('ses'), userId: user.id, familyHash, tokenHash, ipAddress, userAgent };
    const session = await this.database.transaction(() => this.begin(input, now, context));
    const accessToken = await this.accessTokens.sign({ sub: user.id, sid: session.id, role: user.role }, now);
    return { user, accessToken, refreshToken };
  }

  private async begin(input: SessionStart, now: Date, context: Context): Promise<Session> {
    const { SESSIONS_OPEN_MAX, SESSION_IDLE_MS_MAX: idleMsMax, SESSION_AGE_MS_MAX: ageMsMax } = this.config;
    const open = await this.sessions.openOf(input.userId);
    for (const oldest of open.slice(SESSIONS_OPEN_MAX - 1))
      await this.sessions.save(endSession(oldest, 'too_many', now), context);
    return this.sessions.save(startSession(input, { idleMsMax, ageMsMax }, now), context);
  }
}
