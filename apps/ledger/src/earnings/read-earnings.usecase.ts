import { Clock, type Context } from '@atelier/kernel';
import { InjectConfig, UseCase } from '@atelier/service';
import { AccountRepository } from '../accounts/account.repository.js';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { StatementRepository } from '../accounts/statement.repository.js';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import {
  maturedUntil,
  payableCredits,
  salesOf,
  type EarningsBalance,
  type Sales,
} from './earnings.domain.js';
import { EarningsRepository } from './earnings.repository.js';

export interface Earnings extends Sales {
  readonly payableCredits: number;
  readonly inPayout: readonly EarningsBalance[];
}

/**
 * What the caller's sales have brought, and how much of it can be paid out now.
 *
 * Fails with: ledger.account.not_a_user.
 */
@UseCase('ledger.read-earnings')
export class ReadEarnings {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly statements: StatementRepository,
    private readonly earnings: EarningsRepository,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  async execute(context: Context): Promise<Earnings> {
    const userId = callerOf(context);
    const matured = maturedUntil(this.clock.now(), this.config.EARNINGS_MATURE_DAYS);
    const [balance, accounts] = await Promise.all([this.accounts.load(userId), this.earnings.ofUser(userId)]);
    // After the balance: what is sold between the two is shown too late, and not as matured too early.
    const sales = salesOf(balance, await this.statements.soldSince(userId, matured));
    return {
      ...sales,
      payableCredits: payableCredits(sales, balance?.available ?? 0),
      inPayout: accounts.filter(({ settled }) => settled > 0),
    };
  }
}
