import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { JournalModule } from '../journal/journal.module.js';
import { CreateVoucher } from './create-voucher.usecase.js';
import { GrantBonus } from './grant-bonus.usecase.js';
import { OnPaymentRefunded } from './on-payment-refunded.consumer.js';
import { OnPaymentSucceeded } from './on-payment-succeeded.consumer.js';
import { ReadRedemptions } from './read-redemptions.usecase.js';
import { ReadVouchers } from './read-vouchers.usecase.js';
import { RedeemVoucher } from './redeem-voucher.usecase.js';
import { RedemptionRepository } from './redemption.repository.js';
import { RedemptionsController } from './redemptions.controller.js';
import { SwitchVoucher } from './switch-voucher.usecase.js';
import { TakeBackBonus } from './take-back-bonus.usecase.js';
import { VoucherExpiry } from './voucher-expiry.job.js';
import { VoucherRepository } from './voucher.repository.js';
import { VouchersController } from './vouchers.controller.js';

const CONSUMERS = [OnPaymentSucceeded, OnPaymentRefunded];

@Module({
  imports: [AccountsModule, JournalModule],
  controllers: [RedemptionsController, VouchersController, ...CONSUMERS],
  providers: [
    VoucherRepository,
    RedemptionRepository,
    CreateVoucher,
    SwitchVoucher,
    ReadVouchers,
    RedeemVoucher,
    ReadRedemptions,
    GrantBonus,
    TakeBackBonus,
    VoucherExpiry,
  ],
})
export class VouchersModule {}
