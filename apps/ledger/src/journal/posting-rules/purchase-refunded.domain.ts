import type { PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { isUserPosting, type Entry, type EntryDraft } from '../entry.domain.js';

/**
 * A refund undoes what was posted for the purchase, part by part, and not what the fact says it cost: so it can
 * never give back more. A seller who has spent the earnings goes below zero, and pays it off with the next sale.
 */
export function purchaseRefunded(
  { purchaseId }: typeof PurchaseRefunded.example,
  purchase: Entry,
): EntryDraft {
  return {
    causeId: `purchase_refunded:${purchaseId}`,
    sourceId: purchaseId,
    reverses: purchase.id,
    postings: purchase.postings.map((posting) =>
      isUserPosting(posting)
        ? { ...posting, amount: -posting.amount, type: posting.amount < 0 ? 'refund' : 'refund_reversal' }
        : { ...posting, amount: -posting.amount },
    ),
  };
}
