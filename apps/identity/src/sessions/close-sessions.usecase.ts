import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { endSession } from './session.domain.js';
import { SessionRepository } from './session.repository.js';

/**
 * Ends all sessions of a person whose account was deleted, and forgets their devices (R226). Until it has run, a
 * refresh is refused by the account itself.
 *
 * Emits: SessionEnded per session that was open
 */
@UseCase('identity.close-sessions')
export class CloseSessions {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly clock: Clock,
  ) {}

  async execute(userId: string, context: Context): Promise<void> {
    const now = this.clock.now();
    for (const session of await this.sessions.openOf(userId))
      await this.sessions.save(endSession(session, 'account_closed', now), context);
    await this.sessions.forgetDevicesOf(userId);
  }
}
