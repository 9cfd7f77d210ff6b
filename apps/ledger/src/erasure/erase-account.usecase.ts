import { Clock } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { UserDeleted } from '@atelier/contracts/identity/user.events';
import { AccountRepository } from '../accounts/account.repository.js';
import { PayoutProviders } from '../payouts/providers/payout-providers.js';
import { ErasureRepository } from './erasure.repository.js';

/**
 * Closes a deleted person's account for anything new and forgets where their money went (R232). Entries, statement,
 * redemptions and payouts stay as they are. An account that nobody has heard of yet is opened and closed at once,
 * since facts about it may still come.
 *
 * Emits: nothing; identity has told it.
 */
@UseCase('ledger.erase-account')
export class EraseAccount {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly erasure: ErasureRepository,
    private readonly providers: PayoutProviders,
    private readonly clock: Clock,
  ) {}

  async execute({ userId, deletedAt }: typeof UserDeleted.example): Promise<void> {
    const now = this.clock.now();
    await this.accounts.open(userId, now);
    await this.erasure.markBalance(userId, new Date(deletedAt));
    // What is sent to verify an account leaves when a file is made: not to one that is forgotten.
    for await (const method of this.erasure.unverifiedMethodsOf(userId))
      await this.providers.withdrawCode(method);
    await this.erasure.forgetPayoutMethods(userId, now);
  }
}
