import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { callerOf } from '../caller.js';
import { isRefundedSince, purchaseNotFound, refundPurchase, type Purchase } from './purchase.domain.js';
import { PurchaseRepository } from './purchase.repository.js';

/**
 * A moderator undoes a completed purchase, in full and once.
 * Emits: PurchaseRefunded.
 * Fails with: commerce.purchase.not_found, commerce.purchase.transition.
 */
@UseCase('commerce.refund-purchase')
export class RefundPurchase {
  constructor(
    private readonly purchases: PurchaseRepository,
    private readonly clock: Clock,
  ) {}

  async execute(input: { purchaseId: string; reason: string }, context: Context): Promise<Purchase> {
    const refundedBy = callerOf(context);
    const purchase = await this.purchases.loadAcrossOwners(input.purchaseId, 'moderation');
    if (!purchase) throw purchaseNotFound();
    const firstSeenAt = context.idempotency?.firstSeenAt;
    if (firstSeenAt && isRefundedSince(purchase, refundedBy, firstSeenAt)) return purchase;
    return this.purchases.save(
      refundPurchase(purchase, { refundedBy, reason: input.reason }, this.clock.now()),
      context,
    );
  }
}
