import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { PaymentRefunded } from '@atelier/contracts/commerce/payment.events';
import { TakeBackBonus } from './take-back-bonus.usecase.js';

@Consumer({ id: 'ledger.on-payment-refunded-bonus', group: 'ledger.vouchers', consumes: PaymentRefunded })
export class OnPaymentRefunded implements Consumes<typeof PaymentRefunded> {
  constructor(private readonly takeBackBonus: TakeBackBonus) {}

  async handle({ data }: EventOf<typeof PaymentRefunded>, context: Context): Promise<void> {
    await this.takeBackBonus.execute(data, context);
  }
}
