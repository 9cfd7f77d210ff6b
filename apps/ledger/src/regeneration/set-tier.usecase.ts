import { Clock } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { AccountRepository } from '../accounts/account.repository.js';
import type { CreditBalance } from '../accounts/account.domain.js';
import type { Tier } from './regeneration.domain.js';

/**
 * Sets the tier of an account (R234). It counts from the next month's turn; what this month has brought stays. A
 * repeat changes nothing, and a user whom the ledger has not heard of yet has an account from now on.
 */
@UseCase('ledger.set-tier')
export class SetTier {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly clock: Clock,
  ) {}

  execute(userId: CreditBalance['id'], tier: Tier): Promise<void> {
    return this.accounts.setTier(userId, tier, this.clock.now());
  }
}
