import { z } from 'zod';
import { derivedId, newId, type Id } from './ids.js';

/** Platform roles, lowest first (decisions: C and D's roles in one list). */
export const PLATFORM_ROLES = ['user', 'moderator', 'admin', 'super_admin'] as const;
export type PlatformRole = (typeof PLATFORM_ROLES)[number];

/** Who acts. The gateway signs it; services trust nothing else. */
export const actorSchema = z.strictObject({
  kind: z.enum(['user', 'service', 'anonymous']),
  /** `usr_…` of a user, the app's name of a service, a visitor id or `anonymous`. */
  id: z.string().min(1).max(64),
  role: z.enum(PLATFORM_ROLES).optional(),
  scopes: z.array(z.string().max(64)).max(64).optional(),
  sessionId: z.string().max(64).optional(),
  tenantId: z.string().max(64).optional(),
});
export type Actor = z.infer<typeof actorSchema>;

export const ANONYMOUS: Actor = { kind: 'anonymous', id: 'anonymous' };

/** A request's idempotency: the caller- and route-scoped key, and when that key was first seen. */
export interface IdempotencyScope {
  readonly seed: string;
  readonly firstSeenAt: Date;
}

/** What travels with every request and every message. */
export interface Context {
  readonly actor: Actor;
  /** One id for the whole story, from the click to the last consumer. */
  readonly correlationId: string;
  /** The id of the request or message that caused this. */
  readonly causationId: string;
  readonly traceparent?: string;
  readonly tenantId?: string;
  readonly ipAddress?: string;
  readonly userAgent?: string;
  readonly idempotency?: IdempotencyScope;
}

/**
 * The id of a thing that this request creates: derived from the idempotency key when the caller sent one, so
 * that a repeat after a crash finds it, else new. A request that creates two things of one prefix numbers them.
 */
export function idFor<Prefix extends string>(context: Context, prefix: Prefix, nth = 0): Id<Prefix> {
  const scope = context.idempotency;
  return scope ? derivedId(prefix, `${scope.seed}#${nth}`, scope.firstSeenAt) : newId(prefix);
}
