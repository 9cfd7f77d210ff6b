import { UserDeleted } from '@atelier/contracts/identity/user.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { CloseSessions } from './close-sessions.usecase.js';

@Consumer({ id: 'identity.on-user-deleted', group: 'identity.sessions', consumes: UserDeleted })
export class OnUserDeleted implements Consumes<typeof UserDeleted> {
  constructor(private readonly closeSessions: CloseSessions) {}

  async handle({ data }: EventOf<typeof UserDeleted>, context: Context): Promise<void> {
    await this.closeSessions.execute(data.userId, context);
  }
}
