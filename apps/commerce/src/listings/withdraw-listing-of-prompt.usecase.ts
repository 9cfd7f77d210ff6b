import { Clock, type Context, type Id } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { deleteListing } from './listing.domain.js';
import { ListingRepository } from './listing.repository.js';

/**
 * A prompt that its owner deleted is no longer sold.
 * Emits: ListingWithdrawn, when there was a listing.
 * Fails with: nothing.
 */
@UseCase('commerce.withdraw-listing-of-prompt')
export class WithdrawListingOfPrompt {
  constructor(
    private readonly listings: ListingRepository,
    private readonly clock: Clock,
  ) {}

  async execute(input: { promptId: Id<'prm'>; ownerId: Id<'usr'> }, context: Context): Promise<void> {
    const listing = await this.listings.liveOfPrompt(input.promptId, input.ownerId);
    if (!listing) return;
    const change = deleteListing(listing, input.ownerId, 'the prompt was deleted', this.clock.now());
    await this.listings.save(change, context);
  }
}
