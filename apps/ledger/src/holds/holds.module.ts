import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { JournalModule } from '../journal/journal.module.js';
import { ExtendHold } from './extend-hold.usecase.js';
import { HoldExpiry } from './hold-expiry.job.js';
import { HoldsController } from './holds.controller.js';
import { OwnHoldsController } from './own-holds.controller.js';
import { ReadOpenHolds } from './read-open-holds.usecase.js';
import { OnJobFinished } from './on-job-finished.consumer.js';
import { OnPurchaseCompleted } from './on-purchase-completed.consumer.js';
import { OnPurchaseFailed } from './on-purchase-failed.consumer.js';
import { PlaceHold } from './place-hold.usecase.js';
import { ReadHold } from './read-hold.usecase.js';
import { SettleHold } from './settle-hold.usecase.js';

const CONSUMERS = [OnPurchaseCompleted, OnPurchaseFailed, OnJobFinished];

@Module({
  imports: [AccountsModule, JournalModule],
  controllers: [HoldsController, OwnHoldsController, ...CONSUMERS],
  providers: [PlaceHold, ExtendHold, ReadHold, ReadOpenHolds, SettleHold, HoldExpiry],
  exports: [JournalModule],
})
export class HoldsModule {}
