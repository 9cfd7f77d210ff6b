import { Clock } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { ownContext } from '../caller.js';
import { failPurchase } from './purchase.domain.js';
import { PurchaseRepository } from './purchase.repository.js';

/**
 * Gives up a purchase that was never completed, so that its hold is released and the listing can be bought again.
 * Emits: PurchaseFailed, unless the purchase has ended meanwhile.
 * Fails with: nothing.
 */
@UseCase('commerce.give-up-purchase')
export class GiveUpPurchase {
  constructor(
    private readonly purchases: PurchaseRepository,
    private readonly clock: Clock,
  ) {}

  async execute(purchaseId: string): Promise<void> {
    const purchase = await this.purchases.loadAcrossOwners(purchaseId, 'system');
    if (purchase?.paymentStatus !== 'pending') return;
    await this.purchases.save(
      failPurchase(purchase, 'abandoned', this.clock.now()),
      ownContext(purchase.origin),
    );
  }
}
