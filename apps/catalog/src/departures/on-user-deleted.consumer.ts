import { UserDeleted } from '@atelier/contracts/identity/user.events';
import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { NoteDeparture } from './note-departure.usecase.js';

@Consumer({ id: 'catalog.on-user-deleted', group: 'catalog.departures', consumes: UserDeleted })
export class OnUserDeleted implements Consumes<typeof UserDeleted> {
  constructor(private readonly noteDeparture: NoteDeparture) {}

  handle({ data }: EventOf<typeof UserDeleted>, context: Context): Promise<void> {
    return this.noteDeparture.execute(data, context);
  }
}
