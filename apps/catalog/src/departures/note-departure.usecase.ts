import { ACCESS_TOKEN_LIFETIME_SECONDS } from '@atelier/contracts/identity/auth.api';
import type { UserDeleted } from '@atelier/contracts/identity/user.events';
import type { Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { DepartureRepository } from './departure.repository.js';

/**
 * Notes that somebody's prompts are to be deleted. Somebody may have thousands, too many for the transaction of a
 * fact: the process takes them page by page.
 * Emits: nothing; the process does
 */
@UseCase('catalog.note-departure')
export class NoteDeparture {
  constructor(private readonly departures: DepartureRepository) {}

  execute(
    { userId, deletedAt, deletedBy }: typeof UserDeleted.example,
    { correlationId, causationId }: Context,
  ): Promise<void> {
    const dueAt = new Date(deletedAt);
    const lastLookAt = new Date(dueAt.getTime() + ACCESS_TOKEN_LIFETIME_SECONDS * 1_000);
    return this.departures.note({ _id: userId, deletedBy, dueAt, lastLookAt, correlationId, causationId });
  }
}
