import { createHash } from 'node:crypto';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { DomainError, type Actor } from '@atelier/kernel';
import { accessTokenClaims, type AccessTokenClaims } from './claims.js';

const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256'];
const TOKEN_CHARS_MAX = 8_192;
const JWKS_TIMEOUT_MS = 3_000;
/** Unknown key ids may trigger one fetch per this time, whatever strangers send. */
const JWKS_COOLDOWN_MS = 10_000;
const JWKS_AGE_MAX_MS = 600_000;
const JWKS_RETRY_SECONDS = 2;
const DEFAULT_CACHE_MAX = 10_000;
const DEFAULT_CLOCK_TOLERANCE_SECONDS = 5;
const DEFAULT_LIFETIME_MAX_SECONDS = 3_600;
const REVOCATIONS_MAX = 100_000;

export interface AccessTokenVerifierOptions {
  /** Where the issuer publishes its keys; or the keys themselves. One of the two. */
  readonly jwksUrl?: string;
  readonly jwks?: JSONWebKeySet;
  readonly issuer: string;
  readonly audience: string;
  /** How many verified tokens are remembered. */
  readonly cacheMax?: number;
  readonly clockToleranceSeconds?: number;
  /**
   * Tokens that live longer than this are refused; so a revoked session needs to be remembered only this long.
   */
  readonly lifetimeMaxSeconds?: number;
}

interface Verified {
  readonly actor: Actor;
  readonly expiresAtMs: number;
}

/**
 * Verifies access tokens locally against the issuer's JWKS. Verified tokens are remembered by their hash until
 * they expire, since a signature check costs a hundred times a look-up.
 */
export class AccessTokenVerifier {
  private readonly keys: JWTVerifyGetKey;
  private readonly verified: LRUCache<string, Verified>;
  private readonly revoked: LRUCache<string, true>;
  private readonly toleranceSeconds: number;
  private readonly lifetimeMaxSeconds: number;

  constructor(private readonly options: AccessTokenVerifierOptions) {
    this.keys = keySource(options);
    this.toleranceSeconds = options.clockToleranceSeconds ?? DEFAULT_CLOCK_TOLERANCE_SECONDS;
    this.lifetimeMaxSeconds = options.lifetimeMaxSeconds ?? DEFAULT_LIFETIME_MAX_SECONDS;
    this.verified = new LRUCache({ max: options.cacheMax ?? DEFAULT_CACHE_MAX });
    const rememberSeconds = this.lifetimeMaxSeconds + this.toleranceSeconds;
    this.revoked = new LRUCache({ max: REVOCATIONS_MAX, ttl: rememberSeconds * 1000 });
  }

  /**
   * Who the token stands for. Throws unauthenticated `gateway.token.expired` or `gateway.token.invalid`, and
   * unavailable `gateway.jwks.unavailable` when the keys cannot be had.
   */
  async verify(token: string): Promise<Actor> {
    if (token.length > TOKEN_CHARS_MAX) throw refusal('invalid');
    const hash = createHash('sha256').update(token).digest('base64');
    const { actor, expiresAtMs } = this.verified.get(hash) ?? (await this.check(token, hash));
    if (expiresAtMs <= Date.now()) throw refusal('expired');
    if (actor.sessionId !== undefined && this.revoked.has(actor.sessionId)) throw refusal('invalid');
    return actor;
  }

  /**
   * Ends a session here: its tokens are refused until the last of them would have expired. Up to 100 000 sessions
   * are remembered; beyond, the oldest revocation gives way.
   */
  revoke(sessionId: string): void {
    this.revoked.set(sessionId, true);
    for (const [hash, { actor }] of this.verified.entries())
      if (actor.sessionId === sessionId) this.verified.delete(hash);
  }

  private async check(token: string, hash: string): Promise<Verified> {
    let claims: AccessTokenClaims;
    try {
      const { payload } = await jwtVerify(token, this.keys, {
        algorithms: ALGORITHMS,
        issuer: this.options.issuer,
        audience: this.options.audience,
        clockTolerance: this.toleranceSeconds,
      });
      claims = accessTokenClaims.parse(payload);
    } catch (error) {
      throw translate(error);
    }
    if (claims.exp - claims.iat > this.lifetimeMaxSeconds) throw refusal('invalid');
    const verified = { actor: actorOf(claims), expiresAtMs: (claims.exp + this.toleranceSeconds) * 1000 };
    const ttl = verified.expiresAtMs - Date.now();
    if (ttl > 0) this.verified.set(hash, verified, { ttl });
    return verified;
  }
}

function keySource(options: AccessTokenVerifierOptions): JWTVerifyGetKey {
  if (options.jwks) return createLocalJWKSet(options.jwks);
  if (!options.jwksUrl) throw new Error('AccessTokenVerifier needs jwksUrl or jwks');
  return createRemoteJWKSet(new URL(options.jwksUrl), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    cacheMaxAge: JWKS_AGE_MAX_MS,
  });
}

function actorOf(claims: AccessTokenClaims): Actor {
  return {
    kind: 'user',
    id: claims.sub,
    role: claims.role,
    sessionId: claims.sid,
    ...(claims.scopes ? { scopes: claims.scopes } : {}),
    ...(claims.tenant ? { tenantId: claims.tenant } : {}),
  };
}

const refusal = (reason: 'expired' | 'invalid', cause?: unknown) =>
  new DomainError({
    kind: 'unauthenticated',
    code: `gateway.token.${reason}`,
    detail:
      reason === 'expired'
        ? 'The access token has expired. Refresh it.'
        : 'The access token is invalid. Sign in again.',
    cause,
  });

/** Trouble with the key set is ours, not the caller's. jose reports a bad answer as its plain JOSEError. */
function translate(error: unknown): DomainError {
  if (error instanceof errors.JWTExpired) return refusal('expired', error);
  const keysMissing =
    !(error instanceof Error) ||
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    error.constructor === errors.JOSEError ||
    (error instanceof TypeError && error.message === 'fetch failed');
  if (!keysMissing) return refusal('invalid', error);
  return new DomainError({
    kind: 'unavailable',
    code: 'gateway.jwks.unavailable',
    detail: 'The keys that access tokens are checked with cannot be read now. Try again shortly.',
    retryAfterSeconds: JWKS_RETRY_SECONDS,
    cause: error,
  });
}
