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
const CLOCK_TOLERANCE_SECONDS = 5;
/** A token cannot be taken back: one that would be good for longer is none of identity's. */
const LIFETIME_SECONDS_MAX = 3_600;

export interface AccessTokenVerifierOptions {
  /** Where the issuer publishes its keys; or the keys themselves. One of the two. */
  readonly jwksUrl?: string;
  readonly jwks?: JSONWebKeySet;
  readonly issuer: string;
  readonly audience: string;
  /** How many verified tokens are remembered. */
  readonly cacheMax?: number;
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

  constructor(private readonly options: AccessTokenVerifierOptions) {
    this.keys = keySource(options);
    this.verified = new LRUCache({ max: options.cacheMax ?? DEFAULT_CACHE_MAX });
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
    return actor;
  }

  private async check(token: string, hash: string): Promise<Verified> {
    let claims: AccessTokenClaims;
    try {
      const { payload } = await jwtVerify(token, this.keys, {
        algorithms: ALGORITHMS,
        issuer: this.options.issuer,
        audience: this.options.audience,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      claims = accessTokenClaims.parse(payload);
    } catch (error) {
      throw translate(error);
    }
    if (claims.exp - claims.iat > LIFETIME_SECONDS_MAX) throw refusal('invalid');
    const verified = { actor: actorOf(claims), expiresAtMs: (claims.exp + CLOCK_TOLERANCE_SECONDS) * 1000 };
    const ttl = verified.expiresAtMs - Date.now();
    if (ttl > 0) this.verified.set(hash, verified, { ttl });
    return verified;
  }
}

function keySource(options: AccessTokenVerifierOptions): JWTVerifyGetKey {
  if (options.jwks) return createLocalJWKSet(options.jwks);
  if (!options.jwksUrl) throw new Error('AccessTokenVerifier needs jwksUrl or jwks');
  const remote = createRemoteJWKSet(new URL(options.jwksUrl), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    cacheMaxAge: JWKS_AGE_MAX_MS,
  });
  return knownWhileAway(remote);
}

/**
 * While the issuer cannot be asked, the keys that it had last go on: people who are signed in outlive its absence.
 * A token of another key still meets the trouble, since it may be of a new one.
 */
function knownWhileAway(remote: ReturnType<typeof createRemoteJWKSet>): JWTVerifyGetKey {
  let away: { readonly error: unknown; readonly untilMs: number } | undefined;
  return async (header, token) => {
    if (!away || performance.now() >= away.untilMs)
      try {
        return await remote(header, token);
      } catch (error) {
        if (!remote.jwks() || !isKeyTrouble(error)) throw error;
        away = { error, untilMs: performance.now() + JWKS_COOLDOWN_MS };
      }
    const { error } = away;
    return createLocalJWKSet(remote.jwks()!)(header, token).catch(() => {
      throw error;
    });
  };
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

/** Also for what is no token at all. */
export const tokenInvalid = (): DomainError => refusal('invalid');

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
const isKeyTrouble = (error: unknown): boolean =>
  !(error instanceof Error) ||
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  error.constructor === errors.JOSEError ||
  (error instanceof TypeError && error.message === 'fetch failed');

function translate(error: unknown): DomainError {
  if (error instanceof errors.JWTExpired) return refusal('expired', error);
  if (!isKeyTrouble(error)) return refusal('invalid', error);
  return new DomainError({
    kind: 'unavailable',
    code: 'gateway.jwks.unavailable',
    detail: 'The keys that access tokens are checked with cannot be read now. Try again shortly.',
    retryAfterSeconds: JWKS_RETRY_SECONDS,
    cause: error,
  });
}
