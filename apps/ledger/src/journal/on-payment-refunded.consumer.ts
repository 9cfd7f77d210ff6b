import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { PaymentRefunded } from '@atelier/contracts/commerce/payment.events';
import { RefundPayment } from './refund-payment.usecase.js';

@Consumer({ id: 'ledger.on-payment-refunded', group: 'ledger.journal', consumes: PaymentRefunded })
export class OnPaymentRefunded implements Consumes<typeof PaymentRefunded> {
  constructor(private readonly refundPayment: RefundPayment) {}

  async handle({ data }: EventOf<typeof PaymentRefunded>, context: Context): Promise<void> {
    await this.refundPayment.execute(data, context);
  }
}
