import { Clock, type Context } from '@atelier/kernel';
import { InjectConfig, UseCase } from '@atelier/service';
import type { UserRegistered } from '@atelier/contracts/identity/user.events';
import { AccountRepository } from '../accounts/account.repository.js';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { JournalRepository } from './journal.repository.js';
import { userRegistered } from './posting-rules/user-registered.domain.js';

/**
 * Opens a new user's account, with the starter grant in it. The account may be there already, when a fact about
 * the user was faster; the grant is given all the same, once.
 *
 * Emits: CreditsGranted, unless the grant is configured to be 0.
 */
@UseCase('ledger.open-account')
export class OpenAccount {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly journal: JournalRepository,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  async execute(user: typeof UserRegistered.example, context: Context): Promise<void> {
    const grant = this.config.STARTER_GRANT_CREDITS;
    const now = this.clock.now();
    if (grant > 0) await this.journal.post(userRegistered(user, grant), context, now);
    else await this.accounts.open(user.userId, now);
  }
}
