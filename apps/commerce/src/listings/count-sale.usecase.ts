import type { Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { ListingRepository } from './listing.repository.js';

/**
 * Counts a completed or refunded purchase on its listing; the marketplace sorts by it (R31, R105).
 * Emits: nothing.
 * Fails with: nothing.
 */
@UseCase('commerce.count-sale')
export class CountSale {
  constructor(private readonly listings: ListingRepository) {}

  execute(input: { listingId: Id<'lst'>; priceCredits: number; refunded: boolean }): Promise<void> {
    return this.listings.count(
      input.listingId,
      input.refunded
        ? { refundCount: 1, revenueCredits: -input.priceCredits }
        : { purchaseCount: 1, revenueCredits: input.priceCredits },
    );
  }
}
