import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { Consumer, type Consumes, type EventOf } from '@atelier/messaging';
import { CountSale } from './count-sale.usecase.js';

type Settled = typeof PurchaseCompleted | typeof PurchaseRefunded;

@Consumer({
  id: 'commerce.on-purchase-settled',
  group: 'commerce.listings',
  consumes: [PurchaseCompleted, PurchaseRefunded],
})
export class OnPurchaseSettled implements Consumes<Settled> {
  constructor(private readonly countSale: CountSale) {}

  handle({ data }: EventOf<Settled>): Promise<void> {
    const { listingId, priceCredits } = data;
    return this.countSale.execute({ listingId, priceCredits, refunded: 'refundedAt' in data });
  }
}
