import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { callerOf } from '../caller.js';
import {
  approveListing,
  listingNotFound,
  rejectListing,
  suspendListing,
  type Listing,
} from './listing.domain.js';
import { ListingRepository } from './listing.repository.js';

export type Decision =
  { readonly verdict: 'approve' } | { readonly verdict: 'reject' | 'suspend'; readonly reason: string };

/**
 * A moderator decides on somebody else's listing. Approving a suspended one puts it back.
 * Emits: ListingPublished, ListingRejected or ListingWithdrawn.
 * Fails with: commerce.listing.not_found, commerce.listing.own, commerce.listing.transition.
 */
@UseCase('commerce.moderate-listing')
export class ModerateListing {
  constructor(
    private readonly listings: ListingRepository,
    private readonly clock: Clock,
  ) {}

  async execute(input: { listingId: string; decision: Decision }, context: Context): Promise<Listing> {
    const moderatorId = callerOf(context);
    const listing = await this.listings.loadAcrossOwners(input.listingId, 'moderation');
    if (!listing) throw listingNotFound();
    const { decision } = input;
    const now = this.clock.now();
    if (decision.verdict === 'approve')
      return this.listings.save(approveListing(listing, moderatorId, now), context);
    const refuse = decision.verdict === 'reject' ? rejectListing : suspendListing;
    return this.listings.save(refuse(listing, moderatorId, decision.reason, now), context);
  }
}
