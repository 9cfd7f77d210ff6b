import type { Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { CreditsAtView } from '@atelier/contracts/ledger/credits.api';
import { callerOf } from './read-credits.usecase.js';
import { StatementRepository } from './statement.repository.js';

/**
 * What the caller had at a time: the balance after the newest line of then (R241), 0 before the first.
 *
 * Fails with: ledger.account.not_a_user.
 */
@UseCase('ledger.read-credits-at')
export class ReadCreditsAt {
  constructor(private readonly statements: StatementRepository) {}

  async execute(at: Date, context: Context): Promise<CreditsAtView> {
    const line = await this.statements.latestAt(callerOf(context), at);
    return { settled: line?.balanceAfter ?? 0, at: at.toISOString() };
  }
}
