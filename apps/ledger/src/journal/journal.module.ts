import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { EarningsModule } from '../earnings/earnings.module.js';
import { HoldRepository } from '../holds/hold.repository.js';
import { EntryRows } from './entry-rows.js';
import { GroupCommit } from './group-commit.js';
import { JournalRepository } from './journal.repository.js';
import { OnPaymentRefunded } from './on-payment-refunded.consumer.js';
import { OnPaymentSucceeded } from './on-payment-succeeded.consumer.js';
import { OnPayout } from './on-payout.consumer.js';
import { OnPurchaseRefunded } from './on-purchase-refunded.consumer.js';
import { OnUserRegistered } from './on-user-registered.consumer.js';
import { OpenAccount } from './open-account.usecase.js';
import { PostEntry } from './post-entry.usecase.js';
import { PostPayout } from './post-payout.usecase.js';
import { RefundPayment } from './refund-payment.usecase.js';
import { RefundPurchase } from './refund-purchase.usecase.js';

const CONSUMERS = [OnUserRegistered, OnPaymentSucceeded, OnPaymentRefunded, OnPurchaseRefunded, OnPayout];

@Module({
  imports: [AccountsModule, EarningsModule],
  controllers: CONSUMERS,
  providers: [
    EntryRows,
    HoldRepository,
    GroupCommit,
    JournalRepository,
    OpenAccount,
    PostEntry,
    PostPayout,
    RefundPayment,
    RefundPurchase,
  ],
  exports: [GroupCommit, HoldRepository, PostEntry, PostPayout, JournalRepository],
})
export class JournalModule {}
