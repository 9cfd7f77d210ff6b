import { newId, type Actor, type Context, type PlatformRole } from '@atelier/kernel';

/** A signed-in user with an id of its own. */
export const aUser = (role: PlatformRole = 'user'): Actor & { readonly id: `usr_${string}` } => ({
  kind: 'user',
  id: newId('usr'),
  role,
});

export const aService = (name: string): Actor => ({ kind: 'service', id: name });

export const aVisitor: Actor = { kind: 'anonymous', id: 'anonymous' };

/** A context as a request would have it. */
export function aContext(actor: Actor = aUser(), overrides: Partial<Context> = {}): Context {
  const id = newId('req');
  return { actor, correlationId: id, causationId: id, ...overrides };
}
