import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { Context } from '@atelier/kernel';

/** How long an answer is kept for repeats. */
export const IDEMPOTENCY_TTL_MS = 86_400_000;
/** How long a run that is not heard of any more keeps its key; one that is alive renews it in time. */
export const IDEMPOTENCY_LEASE_MS = 10_000;
export const IDEMPOTENCY_RENEWALS_PER_LEASE = 4;

/** An answer as it is kept. `body` is JSON text (or null), opaque to the store. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export type IdempotencyState =
  /** `run` names this run and no other. */
  | { readonly state: 'started'; readonly firstSeenAt: Date; readonly run: string }
  | ({ readonly state: 'replay' } & StoredAnswer)
  | { readonly state: 'in_flight' }
  | { readonly state: 'mismatch' };

/** Where keys and their first answers are kept. Persistence has the one on MongoDB. */
export abstract class IdempotencyStore {
  /**
   * Claims the key for this request, or tells what became of it. After an abandoned or expired run the same seed
   * starts again with the first `firstSeenAt`, so that the ids derived from it stay the same.
   */
  abstract begin(
    seed: string,
    requestHash: string,
    ttlMs: number,
    leaseMs: number,
  ): Promise<IdempotencyState>;
  /** Keeps the key for a run that takes longer, if it is still this run's. */
  abstract renew(seed: string, run: string, leaseMs: number): Promise<void>;
  /** Keeps the answer for repeats; not when another run has taken the key since, whose answer it will be. */
  abstract complete(seed: string, run: string, answer: StoredAnswer): Promise<void>;
  /** Gives the key free, if it is still this run's: the request had no lasting answer. */
  abstract abandon(seed: string, run: string): Promise<void>;
}

export interface IdempotentOptions {
  /** Refuse the request without a key. */
  readonly required?: boolean;
}

export const IDEMPOTENT = Symbol('idempotent');

/** On a POST that creates or spends: takes `Idempotency-Key`, runs once per key, and repeats the first answer. */
export const Idempotent = (options: IdempotentOptions = {}) =>
  applyDecorators(
    SetMetadata(IDEMPOTENT, options),
    ApiHeader({
      name: 'Idempotency-Key',
      required: options.required ?? false,
      description: 'A repeat with the same key and body gets the first answer; with another body, 422.',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    }),
  );

export interface KeyedRequest {
  readonly method: string;
  readonly url: string;
  readonly routeOptions: { readonly url?: string };
  readonly query: unknown;
  readonly body: unknown;
}

/**
 * The key within its scope: caller, route and path. All visitors share one actor, so their address is added: one
 * visitor's key must never answer another.
 */
export function idempotencySeed(context: Context, request: KeyedRequest, key: string): string {
  const { actor, ipAddress } = context;
  const caller =
    actor.kind === 'anonymous' ? [actor.kind, actor.id, ipAddress ?? ''] : [actor.kind, actor.id];
  const path = request.url.split('?', 1)[0];
  return sha256([...caller, request.method, request.routeOptions.url ?? '', path, key]);
}

const FINGERPRINT_KEY_BYTES = 32;

/**
 * The key of `requestHash`: one per service, derived (HKDF, RFC 5869) from the secret that every service has. Under
 * another secret, repeats of earlier requests are refused as another input until `IDEMPOTENCY_TTL_MS` has passed.
 */
export const fingerprintKey = (secret: string, serviceName: string): Buffer =>
  Buffer.from(
    hkdfSync('sha256', secret, '', `atelier.${serviceName}.idempotency-request.v1`, FINGERPRINT_KEY_BYTES),
  );

/**
 * The input: equal for equal JSON, whatever the order of its members. It is an HMAC, since a body may hold what is
 * easy to guess, like an account number: the store alone must not be enough to try guesses.
 */
export function requestHash(request: Pick<KeyedRequest, 'body' | 'query'>, key: Buffer): string {
  const input = JSON.stringify([canonical(request.body), canonical(request.query)]);
  return createHmac('sha256', key).update(input).digest('hex');
}

const sha256 = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, item]) => [key, canonical(item)]);
}
