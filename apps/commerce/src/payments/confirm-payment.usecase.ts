import type { Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { callerOf } from '../caller.js';
import { paymentNotFound, type Payment } from './payment.domain.js';
import { PaymentProviders } from './payment-providers.js';
import { PaymentRepository } from './payment.repository.js';
import { SettlePayment } from './settle-payment.usecase.js';

/**
 * The payer is back from the provider's page: asks the provider what happened, instead of waiting for its webhook.
 * Emits: what SettlePayment emits.
 * Fails with: commerce.payment.not_found|mismatch|transition, commerce.payment_provider.unknown,
 * commerce.sandbox.not_found.
 */
@UseCase('commerce.confirm-payment')
export class ConfirmPayment {
  constructor(
    private readonly payments: PaymentRepository,
    private readonly providers: PaymentProviders,
    private readonly settle: SettlePayment,
  ) {}

  async execute(paymentId: string, context: Context): Promise<Payment> {
    const payment = await this.payments.load(paymentId, { userId: callerOf(context) });
    if (!payment) throw paymentNotFound();
    if (payment.status !== 'pending' || payment.providerPaymentId === undefined) return payment;
    const outcome = await this.providers.named(payment.provider).lookUp(payment.providerPaymentId);
    return outcome ? this.settle.execute(outcome, context) : payment;
  }
}
