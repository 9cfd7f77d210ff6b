import { Module } from '@nestjs/common';
import { CreditPackagesModule } from '../credit-packages/credit-packages.module.js';
import { ConfirmPayment } from './confirm-payment.usecase.js';
import { PaymentProviders } from './payment-providers.js';
import { PaymentRepository } from './payment.repository.js';
import { PaymentsController } from './payments.controller.js';
import { ListPayments, ReadPayment } from './read-payments.usecase.js';
import { SandboxCheckouts } from './sandbox/sandbox-checkouts.js';
import { SandboxCheckoutsController } from './sandbox/sandbox-checkouts.controller.js';
import { SandboxWebhooks } from './sandbox/sandbox-webhooks.client.js';
import { SandboxProvider } from './sandbox/sandbox.provider.js';
import { SettlePayment } from './settle-payment.usecase.js';
import { StartCheckout } from './start-checkout.usecase.js';

@Module({
  imports: [CreditPackagesModule],
  controllers: [PaymentsController, SandboxCheckoutsController],
  providers: [
    PaymentRepository,
    PaymentProviders,
    SandboxProvider,
    SandboxCheckouts,
    SandboxWebhooks,
    StartCheckout,
    ConfirmPayment,
    SettlePayment,
    ReadPayment,
    ListPayments,
  ],
  exports: [PaymentProviders, SettlePayment],
})
export class PaymentsModule {}
