import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { JournalModule } from '../journal/journal.module.js';
import { PayoutMethodsModule } from '../payout-methods/payout-methods.module.js';
import { AdvancePayout } from './advance-payout.usecase.js';
import { ApprovedPayouts } from './approved-payouts.job.js';
import { DecidePayout } from './decide-payout.usecase.js';
import { EndPayout } from './end-payout.js';
import { PayoutRequestRepository } from './payout-request.repository.js';
import { PayoutRequestsController } from './payout-requests.controller.js';
import { PayoutProvidersModule } from './providers/payout-providers.module.js';
import { ReadPayouts } from './read-payouts.usecase.js';
import { RequestPayout } from './request-payout.usecase.js';

@Module({
  imports: [AccountsModule, JournalModule, PayoutMethodsModule, PayoutProvidersModule],
  controllers: [PayoutRequestsController],
  providers: [
    PayoutRequestRepository,
    AdvancePayout,
    ApprovedPayouts,
    DecidePayout,
    EndPayout,
    ReadPayouts,
    RequestPayout,
  ],
})
export class PayoutsModule {}
