import type { PurchaseCompleted } from '@atelier/contracts/commerce/purchase.events';
import { userAccount, type EntryDraft, type Posting } from '../entry.domain.js';

/** The cause of a purchase's entry; a refund finds by it what there is to undo. */
export const purchaseCause = (purchaseId: string): string => `purchase_completed:${purchaseId}`;

/** A sale: buyer → seller and revenue. The parts sum to the price, or the entry is refused. */
export function purchaseCompleted(purchase: typeof PurchaseCompleted.example): EntryDraft {
  const { purchaseId, buyerId, sellerId, priceCredits, platformFeeCredits, sellerEarningsCredits } = purchase;
  const postings: Posting[] = [
    { account: userAccount(buyerId), asset: 'credits', amount: -priceCredits, type: 'spend_marketplace' },
    { account: userAccount(sellerId), asset: 'credits', amount: sellerEarningsCredits, type: 'earn_sale' },
    { account: 'platform:revenue', asset: 'credits', amount: platformFeeCredits },
  ];
  return {
    causeId: purchaseCause(purchaseId),
    sourceId: purchaseId,
    postings: postings.filter(({ amount }) => amount !== 0),
  };
}
