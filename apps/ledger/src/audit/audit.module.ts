import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { EarningsModule } from '../earnings/earnings.module.js';
import { HoldsModule } from '../holds/holds.module.js';
import { JournalModule } from '../journal/journal.module.js';
import { AccountHistory } from './account-history.js';
import { SelfCheck } from './self-check.job.js';
import { SelfCheckRepository } from './self-check.repository.js';
import { VerifyAccount } from './verify-account.usecase.js';
import { VerifyBooks } from './verify-books.usecase.js';

/** Verifies the books, and only that. Mending and explaining are commands of an operator: see `cli/`. */
@Module({
  imports: [AccountsModule, EarningsModule, JournalModule, HoldsModule],
  providers: [AccountHistory, VerifyAccount, VerifyBooks, SelfCheckRepository, SelfCheck],
})
export class AuditModule {}
