import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { PurchaseCompleted } from '@atelier/contracts/commerce/purchase.events';
import { purchaseCompleted } from '../journal/posting-rules/purchase-completed.domain.js';
import { SettleHold } from './settle-hold.usecase.js';

@Consumer({ id: 'ledger.on-purchase-completed', group: 'ledger.journal', consumes: PurchaseCompleted })
export class OnPurchaseCompleted implements Consumes<typeof PurchaseCompleted> {
  constructor(private readonly settleHold: SettleHold) {}

  async handle({ data }: EventOf<typeof PurchaseCompleted>, context: Context): Promise<void> {
    await this.settleHold.execute(
      { holdId: data.holdId, end: 'capture', entry: purchaseCompleted(data) },
      context,
    );
  }
}
