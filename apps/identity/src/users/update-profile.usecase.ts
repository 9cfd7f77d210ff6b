import type { UpdateProfileRequest } from '@atelier/contracts/identity/users.api';
import { Clock, type Context } from '@atelier/kernel';
import { assertVersion, UseCase } from '@atelier/service';
import { isDeleted, updateProfile, userNotFound, type User } from './user.domain.js';
import { UserRepository } from './user.repository.js';

/**
 * Changes one's own name and preferences, if nobody has changed them since they were read.
 *
 * Emits: UserUpdated when the name changed
 * Fails with: identity.user.not_found, platform.precondition.failed
 */
@UseCase('identity.update-profile')
export class UpdateProfile {
  constructor(
    private readonly users: UserRepository,
    private readonly clock: Clock,
  ) {}

  async execute(change: UpdateProfileRequest, expectedVersion: number, context: Context): Promise<User> {
    const user = await this.users.self(context.actor.id);
    if (!user || isDeleted(user)) throw userNotFound();
    assertVersion(expectedVersion, user.version);
    return this.users.save(updateProfile(user, change, this.clock.now()), context);
  }
}
