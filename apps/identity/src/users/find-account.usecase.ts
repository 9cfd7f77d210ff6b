import type { Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { isDeleted, userNotFound, type User } from './user.domain.js';
import { UserRepository } from './user.repository.js';

/**
 * Finds the account of whoever asks.
 *
 * Emits: nothing
 * Fails with: identity.user.not_found
 */
@UseCase('identity.find-account')
export class FindAccount {
  constructor(private readonly users: UserRepository) {}

  async execute({ actor }: Context): Promise<User> {
    const user = await this.users.self(actor.id);
    if (!user || isDeleted(user)) throw userNotFound();
    return user;
  }
}
