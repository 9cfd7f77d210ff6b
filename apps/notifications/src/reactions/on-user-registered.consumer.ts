import { UserRegistered } from '@atelier/contracts/identity/user.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { NotifyPeople } from '../notifications/notify-people.usecase.js';
import { userRegistered } from '../templates/user-registered.domain.js';

/** A new person is welcomed. */
@Consumer({ id: 'notifications.on-user-registered', group: 'notifications.inbox', consumes: UserRegistered })
export class OnUserRegistered implements Consumes<typeof UserRegistered> {
  constructor(private readonly notifyPeople: NotifyPeople) {}

  handle(event: EventOf<typeof UserRegistered>, context: Context): Promise<void> {
    return this.notifyPeople.execute(event, userRegistered(event.data), context);
  }
}
