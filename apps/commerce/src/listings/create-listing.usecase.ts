import { Clock, DomainError, idFor, type Context } from '@atelier/kernel';
import type { CreateListingRequest } from '@atelier/contracts/commerce/listings.api';
import { UseCase } from '@atelier/service';
import { callerOf } from '../caller.js';
import { Prompts } from '../prompts/prompts.projection.js';
import { draftListing, type Listing } from './listing.domain.js';
import { ListingRepository } from './listing.repository.js';

const CATEGORY_DEFAULT = 'general';
/** How soon a prompt that was just written is usually known here. */
const VIEW_LAG_SECONDS = 1;

/**
 * Drafts an offer of the caller's own prompt.
 * Emits: nothing; a draft is nobody else's business.
 * Fails with: commerce.prompt.not_found, commerce.listing.exists.
 */
@UseCase('commerce.create-listing')
export class CreateListing {
  constructor(
    private readonly listings: ListingRepository,
    private readonly prompts: Prompts,
    private readonly clock: Clock,
  ) {}

  async execute(input: CreateListingRequest, context: Context): Promise<Listing> {
    const sellerId = callerOf(context);
    const prompt = await this.prompts.find(input.promptId);
    if (!prompt || prompt.ownerId !== sellerId)
      throw new DomainError({
        kind: 'not_found',
        code: 'commerce.prompt.not_found',
        detail: 'You have no such prompt. If you wrote it just now, try again in a moment.',
        retryAfterSeconds: VIEW_LAG_SECONDS,
      });
    const id = idFor(context, 'lst');
    // A repeat of a request that got through: its listing may have moved on, and must not be in its own way.
    const drafted = await this.listings.load(id, { sellerId });
    if (drafted) return drafted;
    const category = input.category ?? prompt.category ?? CATEGORY_DEFAULT;
    const tags = input.tags ?? prompt.tags ?? [];
    const change = draftListing({ ...input, id, sellerId, category, tags: [...tags] }, this.clock.now());
    return this.listings.save(change, context);
  }
}
