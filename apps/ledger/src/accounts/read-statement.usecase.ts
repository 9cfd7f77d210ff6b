import type { Context } from '@atelier/kernel';
import { UseCase, type Page } from '@atelier/service';
import type { CreditTransaction } from './account.domain.js';
import { callerOf } from './read-credits.usecase.js';
import { StatementRepository, type StatementPage } from './statement.repository.js';

/**
 * One page of the caller's statement, newest first.
 *
 * Fails with: ledger.account.not_a_user, platform.cursor.invalid.
 */
@UseCase('ledger.read-statement')
export class ReadStatement {
  constructor(private readonly statements: StatementRepository) {}

  execute(query: Omit<StatementPage, 'userId'>, context: Context): Promise<Page<CreditTransaction>> {
    return this.statements.page({ ...query, userId: callerOf(context) });
  }
}
