import { hasRole } from '@atelier/auth';
import { DomainError, newId, type Context, type Id } from '@atelier/kernel';

/** The story that an aggregate belongs to, so that what happens to it later is found under the same ids. */
export interface Origin {
  readonly correlationId: string;
  readonly traceparent?: string;
}

export const originOf = ({ correlationId, traceparent }: Context): Origin => ({
  correlationId,
  ...(traceparent ? { traceparent } : {}),
});

/** The context of work that this service does by itself, as part of an earlier story. */
export const ownContext = (origin: Origin, causationId: string = newId('req')): Context => ({
  actor: { kind: 'service', id: 'commerce' },
  causationId,
  ...origin,
});

/** The user who asks. Only people sell and buy: throws forbidden `commerce.caller.not_a_user` for services. */
export function callerOf({ actor }: Context): Id<'usr'> {
  if (actor.kind === 'user') return actor.id as Id<'usr'>;
  throw new DomainError({
    kind: 'forbidden',
    code: 'commerce.caller.not_a_user',
    detail: 'Only people sell and buy here. Call this as a signed-in user.',
  });
}

export const isModerator = ({ actor }: Context): boolean => hasRole(actor, 'moderator');
