import type { StartCheckoutRequest } from '@atelier/contracts/commerce/payments.api';
import { Clock, idFor, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { callerOf, originOf } from '../caller.js';
import { FindCreditPackage } from '../credit-packages/find-credit-package.usecase.js';
import { attachCheckout, startPackagePayment, type Payment } from './payment.domain.js';
import { PaymentProviders } from './payment-providers.js';
import { PaymentRepository } from './payment.repository.js';

/**
 * Begins the payment of a credit package and opens the provider's page for it. The payment is noted first: whatever
 * the provider tells later finds it, and a repeat after a crash goes on with it.
 * Emits: nothing; only the provider's word does.
 * Fails with: commerce.credit_package.not_found, commerce.payment_provider.none.
 */
@UseCase('commerce.start-checkout')
export class StartCheckout {
  constructor(
    private readonly payments: PaymentRepository,
    private readonly findCreditPackage: FindCreditPackage,
    private readonly providers: PaymentProviders,
    private readonly clock: Clock,
  ) {}

  async execute(
    { creditPackageId }: StartCheckoutRequest,
    context: Context,
  ): Promise<{ payment: Payment; checkoutUrl: string }> {
    const creditPackage = await this.findCreditPackage.execute(creditPackageId);
    const provider = this.providers.forCheckout();
    const userId = callerOf(context);
    const id = idFor(context, 'pay');
    const begun =
      (await this.payments.load(id, { userId })) ??
      (await this.payments.save(
        startPackagePayment(
          { id, userId, provider: provider.name, creditPackage, origin: originOf(context) },
          this.clock.now(),
        ),
        context,
      ));
    if (begun.checkoutUrl) return { payment: begun, checkoutUrl: begun.checkoutUrl };
    const checkout = await provider.createCheckout({
      paymentId: begun.id,
      amount: begun.amount,
      description: `${begun.credits} credits`,
    });
    const payment = await this.payments.save(attachCheckout(begun, checkout, this.clock.now()), context);
    return { payment, checkoutUrl: checkout.checkoutUrl };
  }
}
