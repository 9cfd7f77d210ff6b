import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { GrantBonus } from './grant-bonus.usecase.js';

@Consumer({ id: 'ledger.on-payment-succeeded-bonus', group: 'ledger.vouchers', consumes: PaymentSucceeded })
export class OnPaymentSucceeded implements Consumes<typeof PaymentSucceeded> {
  constructor(private readonly grantBonus: GrantBonus) {}

  async handle({ data }: EventOf<typeof PaymentSucceeded>, context: Context): Promise<void> {
    await this.grantBonus.execute(data, context);
  }
}
