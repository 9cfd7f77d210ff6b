import { Clock, DomainError, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import type { PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import type { Entry } from './entry.domain.js';
import { JournalRepository } from './journal.repository.js';
import { purchaseCause } from './posting-rules/purchase-completed.domain.js';
import { purchaseRefunded } from './posting-rules/purchase-refunded.domain.js';

/**
 * Undoes a purchase's entry, every part of it, by an entry that reverses it.
 *
 * Emits: CreditsGranted to the buyer, CreditsSpent of the seller.
 * Fails with: ledger.purchase.not_posted.
 */
@UseCase('ledger.refund-purchase')
export class RefundPurchase {
  constructor(
    private readonly journal: JournalRepository,
    private readonly clock: Clock,
  ) {}

  async execute(refund: typeof PurchaseRefunded.example, context: Context): Promise<Entry | undefined> {
    const purchase = await this.journal.findByCause(purchaseCause(refund.purchaseId));
    if (!purchase) {
      throw new DomainError({
        kind: 'conflict',
        code: 'ledger.purchase.not_posted',
        detail: `${refund.purchaseId} has no entry to undo. Replay its PurchaseCompleted first, then this refund.`,
      });
    }
    return this.journal.post(purchaseRefunded(refund, purchase), context, this.clock.now());
  }
}
