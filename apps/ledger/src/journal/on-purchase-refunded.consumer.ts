import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { RefundPurchase } from './refund-purchase.usecase.js';

@Consumer({ id: 'ledger.on-purchase-refunded', group: 'ledger.journal', consumes: PurchaseRefunded })
export class OnPurchaseRefunded implements Consumes<typeof PurchaseRefunded> {
  constructor(private readonly refundPurchase: RefundPurchase) {}

  async handle({ data }: EventOf<typeof PurchaseRefunded>, context: Context): Promise<void> {
    await this.refundPurchase.execute(data, context);
  }
}
