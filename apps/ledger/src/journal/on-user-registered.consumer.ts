import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import { OpenAccount } from './open-account.usecase.js';

@Consumer({ id: 'ledger.on-user-registered', group: 'ledger.journal', consumes: UserRegistered })
export class OnUserRegistered implements Consumes<typeof UserRegistered> {
  constructor(private readonly openAccount: OpenAccount) {}

  async handle({ data }: EventOf<typeof UserRegistered>, context: Context): Promise<void> {
    await this.openAccount.execute(data, context);
  }
}
