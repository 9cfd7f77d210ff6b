import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { HoldsModule } from '../holds/holds.module.js';
import { JournalModule } from '../journal/journal.module.js';
import { VerifyBooks } from './verify-books.usecase.js';

@Module({ imports: [AccountsModule, JournalModule, HoldsModule], providers: [VerifyBooks] })
export class AuditModule {}
