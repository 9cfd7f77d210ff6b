import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { PayoutProvidersModule } from '../payouts/providers/payout-providers.module.js';
import { AddPayoutMethod } from './add-payout-method.usecase.js';
import { ChooseDefault } from './choose-default.usecase.js';
import { DisablePayoutMethod } from './disable-payout-method.usecase.js';
import { PayoutMethodRepository } from './payout-method.repository.js';
import { PayoutMethodsController } from './payout-methods.controller.js';
import { ReadPayoutMethods } from './read-payout-methods.usecase.js';
import { VerifyPayoutMethod } from './verify-payout-method.usecase.js';

@Module({
  imports: [AccountsModule, PayoutProvidersModule],
  controllers: [PayoutMethodsController],
  providers: [
    PayoutMethodRepository,
    AddPayoutMethod,
    ChooseDefault,
    DisablePayoutMethod,
    ReadPayoutMethods,
    VerifyPayoutMethod,
  ],
  exports: [PayoutMethodRepository],
})
export class PayoutMethodsModule {}
