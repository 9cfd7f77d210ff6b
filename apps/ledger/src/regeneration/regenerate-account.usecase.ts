import { Clock, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { InjectConfig, UseCase } from '@atelier/service';
import { perishableAfter, type CreditBalance, type Perishable } from '../accounts/account.domain.js';
import { AccountTurns } from '../accounts/account-turns.js';
import { AccountRepository } from '../accounts/account.repository.js';
import { StatementRepository } from '../accounts/statement.repository.js';
import { userPostings } from '../journal/entry.domain.js';
import { JournalRepository } from '../journal/journal.repository.js';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { monthsDue, regenerate, startOf, turnEntries, type Month, type Turn } from './regeneration.domain.js';

export type RegenerationConfig = Pick<
  LedgerConfig,
  | 'REGENERATION_CREDITS'
  | 'REGENERATION_ROLLOVER_CREDITS_MAX'
  | 'REGENERATION_CATCH_UP_MONTHS_MAX'
  | 'REGENERATION_SHARD_ACCOUNTS'
  | 'REGENERATION_BATCH_MAX'
  | 'REGENERATION_CONCURRENCY_MAX'
  | 'REGENERATION_PAUSE_MS'
  | 'REGENERATION_LEASE_MS'
>;

/**
 * Regenerates one account for every month that it has missed, in one transaction: whoever comes second finds
 * nothing more to do, and a spend at the same time is before or after it.
 *
 * Emits: CreditsSpent (`rollover_expiry`) and CreditsGranted (`earn_regeneration`) per month.
 */
@UseCase('ledger.regenerate-account')
export class RegenerateAccount {
  constructor(
    private readonly database: Database,
    private readonly accounts: AccountRepository,
    private readonly statements: StatementRepository,
    private readonly journal: JournalRepository,
    private readonly turns: AccountTurns,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: RegenerationConfig,
  ) {}

  /** Answers the turns that were posted. */
  execute(userId: CreditBalance['id'], through: Month, context: Context): Promise<readonly Turn[]> {
    return this.turns.take([userId], () =>
      this.database.transaction(async () => {
        const balance = await this.accounts.load(userId);
        if (!balance) return [];
        const { turns, perishable } = await this.decide(balance, through);
        if (turns.length > 0) await this.post(userId, turns, perishable, context);
        return turns;
      }),
    );
  }

  /** What `execute` would post now. Changes nothing. */
  async preview(balance: CreditBalance, through: Month): Promise<readonly Turn[]> {
    return (await this.decide(balance, through)).turns;
  }

  private async decide(balance: CreditBalance, through: Month) {
    const { perishable: credits, perishableSince: since, sequence } = balance;
    const months = monthsDue(
      balance.lastRegeneratedAt,
      through,
      this.config.REGENERATION_CATCH_UP_MONTHS_MAX,
    );
    const mayHaveUsed = months.length > 0 && credits > 0 && sequence > since;
    const used = mayHaveUsed ? await this.statements.usedSince(balance.id, since) : 0;
    const perishable: Perishable = { credits, since, used };
    const plan = {
      credits: this.config.REGENERATION_CREDITS,
      rolloverCreditsMax: this.config.REGENERATION_ROLLOVER_CREDITS_MAX,
    };
    return { perishable, turns: regenerate(balance, perishable, months, plan) };
  }

  private async post(
    userId: CreditBalance['id'],
    turns: readonly Turn[],
    before: Perishable,
    context: Context,
  ): Promise<void> {
    const now = this.clock.now();
    let after = before;
    for (const draft of turns.flatMap((turn) => turnEntries(userId, turn))) {
      const entry = await this.journal.post(draft, context, now);
      const { amount, type } = userPostings(draft)[0]!;
      // Undefined: this month had its entry before, and only the note of it on the balance was lost.
      if (entry) after = perishableAfter(after, { amount, type, sequence: entry.links[0]!.sequence });
    }
    await this.accounts.regenerated(userId, {
      lastRegeneratedAt: startOf(turns.at(-1)!.month),
      perishable: after.credits,
      perishableSince: after.since,
    });
  }
}
