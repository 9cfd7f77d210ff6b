import { UserUpdated } from '@atelier/contracts/identity/user.events';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { RemoveNotificationsOf } from '../notifications/remove-notifications-of.usecase.js';

/** What a person was told goes when their account does (R488). */
@Consumer({ id: 'notifications.on-user-updated', group: 'notifications.inbox', consumes: UserUpdated })
export class OnUserUpdated implements Consumes<typeof UserUpdated> {
  constructor(private readonly removeNotificationsOf: RemoveNotificationsOf) {}

  async handle({ data }: EventOf<typeof UserUpdated>): Promise<void> {
    if (data.accountStatus === 'deleted') await this.removeNotificationsOf.execute(data.userId);
  }
}
