import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PostEntry } from './post-entry.usecase.js';
import { paymentSucceeded } from './posting-rules/payment-succeeded.domain.js';

@Consumer({ id: 'ledger.on-payment-succeeded', group: 'ledger.journal', consumes: PaymentSucceeded })
export class OnPaymentSucceeded implements Consumes<typeof PaymentSucceeded> {
  constructor(private readonly postEntry: PostEntry) {}

  async handle({ data }: EventOf<typeof PaymentSucceeded>, context: Context): Promise<void> {
    const entry = paymentSucceeded(data);
    if (entry) await this.postEntry.execute(entry, context);
  }
}
