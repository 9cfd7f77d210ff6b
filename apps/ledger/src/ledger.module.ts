import { Module } from '@nestjs/common';
import { MessagingModule } from '@atelier/messaging';
import { PersistenceModule } from '@atelier/persistence';
import {
  CreditsGranted,
  CreditsHeld,
  CreditsReleased,
  CreditsSpent,
} from '@atelier/contracts/ledger/credits.events';
import {
  AdjustmentApproved,
  AdjustmentRejected,
  AdjustmentRequested,
} from '@atelier/contracts/ledger/adjustment.events';
import { BankFileConfirmed, BankFileCreated } from '@atelier/contracts/ledger/bank-file.events';
import {
  PayoutApproved,
  PayoutCanceled,
  PayoutFailed,
  PayoutPaid,
  PayoutRejected,
  PayoutRequested,
} from '@atelier/contracts/ledger/payout.events';
import { ReferralCompleted } from '@atelier/contracts/ledger/referral.events';
import { VoucherCreated, VoucherRedeemed, VoucherUpdated } from '@atelier/contracts/ledger/voucher.events';
import { AccountsModule } from './accounts/accounts.module.js';
import { AdjustmentsModule } from './adjustments/adjustments.module.js';
import { AuditModule } from './audit/audit.module.js';
import { EarningsModule } from './earnings/earnings.module.js';
import { ErasureModule } from './erasure/erasure.module.js';
import { HoldsModule } from './holds/holds.module.js';
import { JournalModule } from './journal/journal.module.js';
import { perishableIsWhatIsLeftMigration } from './migrations/0001-perishable-is-what-is-left.migration.js';
import { balancesCountSalesMigration } from './migrations/0002-balances-count-sales.migration.js';
import { PayoutMethodsModule } from './payout-methods/payout-methods.module.js';
import { PayoutsModule } from './payouts/payouts.module.js';
import { RegenerationModule } from './regeneration/regeneration.module.js';
import { ReferralsModule } from './referrals/referrals.module.js';
import { TaxesModule } from './taxes/taxes.module.js';
import { TransactionsModule } from './transactions/transactions.module.js';
import { VouchersModule } from './vouchers/vouchers.module.js';

const PUBLISHES = [
  CreditsGranted,
  CreditsHeld,
  CreditsSpent,
  CreditsReleased,
  VoucherCreated,
  VoucherUpdated,
  VoucherRedeemed,
  ReferralCompleted,
  AdjustmentRequested,
  AdjustmentApproved,
  AdjustmentRejected,
  PayoutRequested,
  PayoutApproved,
  PayoutRejected,
  PayoutCanceled,
  PayoutPaid,
  PayoutFailed,
  BankFileCreated,
  BankFileConfirmed,
];

@Module({
  imports: [
    PersistenceModule.forRoot({
      database: 'ledger',
      migrations: [perishableIsWhatIsLeftMigration, balancesCountSalesMigration],
    }),
    MessagingModule.forRoot({ app: 'ledger', publishes: PUBLISHES }),
    AccountsModule,
    JournalModule,
    HoldsModule,
    RegenerationModule,
    VouchersModule,
    ReferralsModule,
    AdjustmentsModule,
    EarningsModule,
    PayoutMethodsModule,
    PayoutsModule,
    TransactionsModule,
    TaxesModule,
    AuditModule,
    ErasureModule,
  ],
})
export class LedgerModule {}
