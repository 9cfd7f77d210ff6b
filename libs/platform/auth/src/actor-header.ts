import { errors, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { actorSchema, DomainError, type Actor } from '@atelier/kernel';

/** The header by which the gateway tells a service who acts: a signed, short-lived token. */
export const ACTOR_HEADER = 'x-atelier-actor';

export const ACTOR_SECRET_BYTES_MIN = 32;
const AUDIENCE = 'atelier';
const ALGORITHM = 'HS256';
const TTL_SECONDS = 60;
/** A signed header is handed out again for at most this long, so that it never arrives nearly expired. */
const REUSE_SECONDS = 20;
const CLOCK_TOLERANCE_SECONDS = 5;
const CACHE_ENTRIES_MAX = 10_000;
const HEADER_CHARS_MAX = 4_096;

const claims = z.object({ actor: actorSchema, exp: z.number() });

export interface ActorSignerOptions {
  /** Who signs: `gateway`, or the name of the service that calls another. */
  readonly issuer?: string;
}

/** Signs the actor header. An actor is signed at most once per 20 s; the same header is used in between. */
export class ActorSigner {
  readonly issuer: string;
  private readonly key: Uint8Array;
  private readonly cache = new LRUCache<string, Promise<string>>({
    max: CACHE_ENTRIES_MAX,
    ttl: REUSE_SECONDS * 1000,
  });

  constructor(secret: string, options: ActorSignerOptions = {}) {
    this.key = keyOf(secret);
    this.issuer = options.issuer ?? 'gateway';
  }

  sign(actor: Actor): Promise<string> {
    const cacheKey = JSON.stringify(actor);
    const known = this.cache.get(cacheKey);
    if (known) return known;
    const signed = new SignJWT({ actor: { ...actor } })
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(actor.id)
      .setIssuer(this.issuer)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(`${TTL_SECONDS}s`)
      .sign(this.key);
    this.cache.set(cacheKey, signed);
    return signed;
  }
}

/** Reads the actor header back. What it has verified it remembers until the header expires. */
export class ActorVerifier {
  private readonly key: Uint8Array;
  private readonly cache = new LRUCache<string, Actor>({ max: CACHE_ENTRIES_MAX });

  constructor(secret: string) {
    this.key = keyOf(secret);
  }

  /** Throws unauthenticated `platform.actor.expired` or `platform.actor.invalid`. */
  async verify(header: string): Promise<Actor> {
    const known = this.cache.get(header);
    if (known) return known;
    if (header.length > HEADER_CHARS_MAX) throw refusal('invalid');
    try {
      const { payload } = await jwtVerify(header, this.key, {
        algorithms: [ALGORITHM],
        audience: AUDIENCE,
        requiredClaims: ['exp', 'iss'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      const { actor, exp } = claims.parse(payload);
      const ttl = exp * 1000 - Date.now();
      if (ttl > 0) this.cache.set(header, actor, { ttl });
      return actor;
    } catch (error) {
      throw refusal(error instanceof errors.JWTExpired ? 'expired' : 'invalid', error);
    }
  }
}

function keyOf(secret: string): Uint8Array {
  const key = new TextEncoder().encode(secret);
  if (key.byteLength < ACTOR_SECRET_BYTES_MIN)
    throw new Error(`the actor secret needs at least ${ACTOR_SECRET_BYTES_MIN} bytes`);
  return key;
}

const refusal = (reason: 'expired' | 'invalid', cause?: unknown) =>
  new DomainError({
    kind: 'unauthenticated',
    code: `platform.actor.${reason}`,
    detail: `The actor header is ${reason}. Call the API through the gateway.`,
    cause,
  });
