import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { JournalModule } from '../journal/journal.module.js';
import { BegunMonth, DatabaseTime } from './begun-month.js';
import { RegenerateAccount } from './regenerate-account.usecase.js';
import { RegenerateShard } from './regenerate-shard.usecase.js';
import { RegenerationShardRepository } from './regeneration-shard.repository.js';
import { Regeneration } from './regeneration.job.js';
import { SetTier } from './set-tier.usecase.js';
import { TiersController } from './tiers.controller.js';

@Module({
  imports: [AccountsModule, JournalModule],
  controllers: [TiersController],
  providers: [
    DatabaseTime,
    BegunMonth,
    RegenerationShardRepository,
    RegenerateAccount,
    RegenerateShard,
    SetTier,
    Regeneration,
  ],
})
export class RegenerationModule {}
