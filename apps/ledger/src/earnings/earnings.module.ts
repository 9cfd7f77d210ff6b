import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { EarningsController } from './earnings.controller.js';
import { EarningsRepository } from './earnings.repository.js';
import { ReadEarnings } from './read-earnings.usecase.js';

/** Accounts of money. The journal moves them in its own transactions; nobody else does. */
@Module({
  imports: [AccountsModule],
  controllers: [EarningsController],
  providers: [EarningsRepository, ReadEarnings],
  exports: [EarningsRepository],
})
export class EarningsModule {}
