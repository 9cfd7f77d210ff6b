import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { NotePayment } from './note-payment.usecase.js';

@Consumer({
  id: 'ledger.on-payment-succeeded-referral',
  group: 'ledger.referrals',
  consumes: PaymentSucceeded,
})
export class OnPaymentSucceeded implements Consumes<typeof PaymentSucceeded> {
  constructor(private readonly notePayment: NotePayment) {}

  async handle({ data }: EventOf<typeof PaymentSucceeded>, context: Context): Promise<void> {
    await this.notePayment.execute(data, context);
  }
}
