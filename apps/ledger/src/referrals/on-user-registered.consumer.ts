import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import { NoteRegistration } from './note-registration.usecase.js';

@Consumer({ id: 'ledger.on-user-registered-referral', group: 'ledger.referrals', consumes: UserRegistered })
export class OnUserRegistered implements Consumes<typeof UserRegistered> {
  constructor(private readonly noteRegistration: NoteRegistration) {}

  async handle({ data }: EventOf<typeof UserRegistered>, context: Context): Promise<void> {
    await this.noteRegistration.execute(data, context);
  }
}
