import { Clock, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { assertVersion, UseCase } from '@atelier/service';
import { AuditLog } from '../audit/audit-log.js';
import { ConfirmOwner } from '../sessions/confirm-owner.usecase.js';
import { assertMayDelete, deleteUser, isDeleted, userNotFound, type UserId } from '../users/user.domain.js';
import { UserRepository } from '../users/user.repository.js';

/** Who deletes: the owner, with or without the password, or an admin. */
export type Deletion =
  | { readonly by: 'owner'; readonly password: string | undefined }
  | { readonly by: 'admin'; readonly userId: UserId };

/**
 * Deletes an account for good. From here on nobody signs in to it; what other services keep of the person they
 * remove when they hear of it. A repeat changes nothing.
 *
 * Emits: UserUpdated, UserDeleted
 * Fails with: identity.user.not_found | confirmation_required | confirmation_wrong | own | higher_role,
 * identity.login.too_many_attempts, identity.password.busy, platform.precondition.failed
 */
@UseCase('identity.delete-user')
export class DeleteUser {
  constructor(
    private readonly users: UserRepository,
    private readonly confirmOwner: ConfirmOwner,
    private readonly audit: AuditLog,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async execute(deletion: Deletion, expectedVersion: number | undefined, context: Context): Promise<void> {
    const { actor } = context;
    const user = await this.users.self(deletion.by === 'owner' ? actor.id : deletion.userId);
    if (!user) throw userNotFound();
    if (isDeleted(user)) return;
    if (deletion.by === 'admin') assertMayDelete(actor, user);
    else await this.confirmOwner.execute(user, deletion.password, context);
    if (expectedVersion !== undefined) assertVersion(expectedVersion, user.version);
    await this.database.transaction(async () => {
      await this.users.save(deleteUser(user, actor.id as UserId, this.clock.now()), context);
      await this.audit.append(
        {
          action: 'user_delete',
          severity: 'high',
          userId: user.id,
          targetId: user.id,
          description: 'An account was deleted.',
          metadata: { by: deletion.by },
        },
        context,
      );
    });
  }
}
