import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccountsModule } from '../accounts/accounts.module.js';
import { PayoutProvidersModule } from '../payouts/providers/payout-providers.module.js';
import { EraseAccount } from './erase-account.usecase.js';
import { ErasedAccountGuard } from './erased-account.guard.js';
import { ErasureRepository } from './erasure.repository.js';
import { ForgetReferralData } from './forget-referral-data.usecase.js';
import { OnReferralPersonDeleted, OnUserDeleted } from './on-user-deleted.consumer.js';

@Module({
  imports: [AccountsModule, PayoutProvidersModule],
  controllers: [OnUserDeleted, OnReferralPersonDeleted],
  providers: [
    ErasureRepository,
    EraseAccount,
    ForgetReferralData,
    { provide: APP_GUARD, useClass: ErasedAccountGuard },
  ],
})
export class ErasureModule {}
