import type { Context } from '@atelier/kernel';
import type { PageRequest } from '@atelier/persistence';
import { UseCase, type Page } from '@atelier/service';
import { callerOf, isModerator } from '../caller.js';
import { purchaseNotFound, type Purchase } from './purchase.domain.js';
import { PurchaseRepository } from './purchase.repository.js';

/**
 * One purchase, for its buyer and for moderators.
 * Fails with: commerce.purchase.not_found.
 */
@UseCase('commerce.read-purchase')
export class ReadPurchase {
  constructor(private readonly purchases: PurchaseRepository) {}

  async execute(purchaseId: string, context: Context): Promise<Purchase> {
    const purchase = isModerator(context)
      ? await this.purchases.loadAcrossOwners(purchaseId, 'moderation')
      : await this.purchases.load(purchaseId, { buyerId: callerOf(context) });
    if (!purchase) throw purchaseNotFound();
    return purchase;
  }
}

/** The caller's purchases, newest first. */
@UseCase('commerce.list-purchases')
export class ListPurchases {
  constructor(private readonly purchases: PurchaseRepository) {}

  execute(page: PageRequest<Purchase>, context: Context): Promise<Page<Purchase>> {
    return this.purchases.ofBuyer(callerOf(context), page);
  }
}
