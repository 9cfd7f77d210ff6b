import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { callerOf } from '../caller.js';
import { Prompts } from '../prompts/prompts.projection.js';
import {
  approveListing,
  isModeratedSince,
  listingNotFound,
  promptDeleted,
  rejectListing,
  suspendListing,
  type Listing,
} from './listing.domain.js';
import { ListingRepository } from './listing.repository.js';

export type Decision =
  { readonly verdict: 'approve' } | { readonly verdict: 'reject' | 'suspend'; readonly reason: string };

const STATUS_OF = { approve: 'approved', reject: 'rejected', suspend: 'suspended' } as const;

/**
 * A moderator decides on somebody else's listing. Approving a suspended one puts it back.
 * Emits: ListingPublished, ListingRejected or ListingWithdrawn.
 * Fails with: commerce.listing.not_found, commerce.listing.own, commerce.listing.transition,
 * commerce.listing.prompt_deleted.
 */
@UseCase('commerce.moderate-listing')
export class ModerateListing {
  constructor(
    private readonly listings: ListingRepository,
    private readonly prompts: Prompts,
    private readonly clock: Clock,
  ) {}

  async execute(input: { listingId: string; decision: Decision }, context: Context): Promise<Listing> {
    const moderatorId = callerOf(context);
    const listing = await this.listings.loadAcrossOwners(input.listingId, 'moderation');
    if (!listing) throw listingNotFound();
    const { decision } = input;
    const firstSeenAt = context.idempotency?.firstSeenAt;
    const to = STATUS_OF[decision.verdict];
    if (firstSeenAt && isModeratedSince(listing, to, moderatorId, firstSeenAt)) return listing;
    const now = this.clock.now();
    if (decision.verdict === 'approve') {
      if (await this.prompts.isDeleted(listing.promptId)) throw promptDeleted();
      return this.listings.save(approveListing(listing, moderatorId, now), context);
    }
    const refuse = decision.verdict === 'reject' ? rejectListing : suspendListing;
    return this.listings.save(refuse(listing, moderatorId, decision.reason, now), context);
  }
}
