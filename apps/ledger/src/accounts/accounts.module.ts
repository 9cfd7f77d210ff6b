import { Module } from '@nestjs/common';
import { AccountTurns } from './account-turns.js';
import { AccountRepository } from './account.repository.js';
import { CreditsController } from './credits.controller.js';
import { ExportStatement } from './export-statement.usecase.js';
import { ReadCreditsAt } from './read-credits-at.usecase.js';
import { ReadCredits } from './read-credits.usecase.js';
import { ReadStatement } from './read-statement.usecase.js';
import { StatementRepository } from './statement.repository.js';

/**
 * Balances and statements. What moves credits goes through the journal's GroupCommit; tiers, erasure and rebuild change
 * a balance in place and raise its version.
 */
@Module({
  controllers: [CreditsController],
  providers: [
    AccountRepository,
    AccountTurns,
    StatementRepository,
    ReadCredits,
    ReadCreditsAt,
    ReadStatement,
    ExportStatement,
  ],
  exports: [AccountRepository, AccountTurns, StatementRepository],
})
export class AccountsModule {}
