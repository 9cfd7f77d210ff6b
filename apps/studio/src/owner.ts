import { DomainError, type Context, type Id } from '@atelier/kernel';

/**
 * Whose images and jobs a request is about: the signed-in user's own. Services have none.
 * Throws forbidden `studio.owner.not_a_user`.
 */
export function ownerOf({ actor }: Context): Id<'usr'> {
  if (actor.kind === 'user') return actor.id as Id<'usr'>;
  throw new DomainError({
    kind: 'forbidden',
    code: 'studio.owner.not_a_user',
    detail: 'Images and jobs belong to people. Call this as a signed-in user.',
  });
}
