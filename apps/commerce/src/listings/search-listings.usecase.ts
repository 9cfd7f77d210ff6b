import { DomainError, type Context } from '@atelier/kernel';
import { UseCase, type Page } from '@atelier/service';
import { callerOf, isModerator } from '../caller.js';
import type { Listing, ListingStatus } from './listing.domain.js';
import { ListingRepository, type ListingSearch } from './listing.repository.js';

export interface ListingQuery extends ListingSearch {
  readonly seller?: 'me' | undefined;
  readonly status?: ListingStatus | undefined;
}

/**
 * The marketplace; a seller's own listings in any status; or, for moderators, all of one status, newest first.
 * Fails with: commerce.listing.moderators_only, platform.cursor.invalid.
 */
@UseCase('commerce.search-listings')
export class SearchListings {
  constructor(private readonly listings: ListingRepository) {}

  async execute(query: ListingQuery, context: Context): Promise<Page<Listing>> {
    const { seller, status, limit, cursor } = query;
    if (seller) return this.listings.ofSeller(callerOf(context), status, { limit, cursor });
    if (status === undefined || status === 'approved') return this.listings.forSale(query);
    if (isModerator(context)) return this.listings.withStatusAcrossOwners(status, { limit, cursor });
    throw new DomainError({
      kind: 'forbidden',
      code: 'commerce.listing.moderators_only',
      detail: 'Only moderators list what is not for sale. Add seller=me for your own listings.',
    });
  }
}
