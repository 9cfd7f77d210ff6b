import type { Context } from '@atelier/kernel';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { PurchaseFailed } from '@atelier/contracts/commerce/purchase.events';
import { purchaseFailed } from '../journal/posting-rules/purchase-failed.domain.js';
import { SettleHold } from './settle-hold.usecase.js';

@Consumer({ id: 'ledger.on-purchase-failed', group: 'ledger.journal', consumes: PurchaseFailed })
export class OnPurchaseFailed implements Consumes<typeof PurchaseFailed> {
  constructor(private readonly settleHold: SettleHold) {}

  async handle({ data }: EventOf<typeof PurchaseFailed>, context: Context): Promise<void> {
    const settlement = purchaseFailed(data);
    if (settlement) await this.settleHold.execute(settlement, context);
  }
}
