import {
  LISTING_STATUSES,
  type CreateListingRequest,
  type LISTING_VISIBILITIES,
  type MODERATION_STATUSES,
  type UpdateListingRequest,
} from '@atelier/contracts/commerce/listings.api';
import {
  ListingPublished,
  ListingRejected,
  ListingSubmitted,
  ListingWithdrawn,
} from '@atelier/contracts/commerce/listing.events';
import { DomainError, type Change, type ErrorKind, type Id } from '@atelier/kernel';

// A listing offers one prompt of its seller for credits.
// - A prompt has at most one listing that is not deleted.
// - Only what a moderator approved is for sale; nobody moderates a listing of their own.
// - What is offered cannot change while it is reviewed or for sale: only drafts and rejected listings are edited.

export type ListingStatus = (typeof LISTING_STATUSES)[number];

export interface Listing {
  readonly id: Id<'lst'>;
  readonly version: number;
  readonly sellerId: Id<'usr'>;
  readonly promptId: Id<'prm'>;
  readonly title: string;
  readonly description: string;
  readonly shortDescription?: string;
  readonly previewContent?: string;
  readonly category: string;
  readonly tags: readonly string[];
  readonly priceCredits: number;
  /** Lower-case words of title, tags and description, for the search (R106). What is first is kept first. */
  readonly searchWords: readonly string[];
  readonly status: ListingStatus;
  readonly moderationStatus: (typeof MODERATION_STATUSES)[number];
  readonly submittedAt?: Date;
  readonly moderationNotes?: string;
  readonly moderatedBy?: string;
  readonly moderatedAt?: Date;
  readonly visibility: (typeof LISTING_VISIBILITIES)[number];
  readonly pausedAt?: Date;
  /** How many may be sold in all; without it there is no limit. */
  readonly stock?: number;
  /** Counted from sales as they complete (R31, R105); rates are derived. */
  readonly viewCount: number;
  readonly purchaseCount: number;
  readonly refundCount: number;
  readonly revenueCredits: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly publishedAt?: Date;
  readonly deletedAt?: Date;
  readonly deletedBy?: string;
  readonly deletedReason?: string;
}

/** SM17. A rejected listing becomes a draft again by being edited. */
export const LISTING_TRANSITIONS: Readonly<Record<ListingStatus, readonly ListingStatus[]>> = {
  draft: ['pending', 'deleted'],
  pending: ['approved', 'rejected', 'deleted'],
  approved: ['suspended', 'deleted'],
  rejected: ['draft', 'deleted'],
  suspended: ['approved', 'deleted'],
  deleted: [],
};

export const LIVE_STATUSES: readonly ListingStatus[] = LISTING_STATUSES.filter(
  (status) => status !== 'deleted',
);

const SEARCH_WORDS_MAX = 300;
const SEARCH_WORD_CHARS_MAX = 32;

export type DraftInput = CreateListingRequest & {
  readonly id: Id<'lst'>;
  readonly sellerId: Id<'usr'>;
  readonly category: string;
  readonly tags: readonly string[];
};

export function draftListing(input: DraftInput, now: Date): Change<Listing> {
  const state: Listing = {
    ...input,
    version: 0,
    searchWords: searchWordsOf(input.title, ...input.tags, input.description),
    status: 'draft',
    moderationStatus: 'not_reviewed',
    visibility: 'public',
    viewCount: 0,
    purchaseCount: 0,
    refundCount: 0,
    revenueCredits: 0,
    createdAt: now,
    updatedAt: now,
  };
  return { state, events: [] };
}

/** Changes what is offered. An edited rejected listing is a draft again. */
export function editListing(listing: Listing, changes: UpdateListingRequest, now: Date): Change<Listing> {
  if (listing.status !== 'draft' && listing.status !== 'rejected')
    throw refuse(
      'conflict',
      'not_editable',
      `The listing is ${listing.status}; only a draft or a rejected one can be changed.`,
    );
  const next = { ...listing, ...changes };
  const searchWords = searchWordsOf(next.title, ...next.tags, next.description);
  return { state: { ...next, searchWords, status: 'draft', updatedAt: now }, events: [] };
}

export function submitListing(listing: Listing, now: Date): Change<Listing> {
  const state: Listing = {
    ...moveTo(listing, 'pending', now),
    moderationStatus: 'under_review',
    submittedAt: now,
  };
  return { state, events: [ListingSubmitted(state.id, factsOf(state))] };
}

/** Puts a pending listing, or a suspended one again, on the marketplace. */
export function approveListing(listing: Listing, moderatorId: Id<'usr'>, now: Date): Change<Listing> {
  const state: Listing = {
    ...moderated(listing, 'approved', moderatorId, now),
    moderationStatus: 'approved',
    moderationNotes: undefined,
    publishedAt: listing.publishedAt ?? now,
  };
  return { state, events: [ListingPublished(state.id, { ...factsOf(state), approvedBy: moderatorId })] };
}

export function rejectListing(
  listing: Listing,
  moderatorId: Id<'usr'>,
  reason: string,
  now: Date,
): Change<Listing> {
  const state: Listing = {
    ...moderated(listing, 'rejected', moderatorId, now),
    moderationStatus: 'flagged',
    moderationNotes: reason,
  };
  return {
    state,
    events: [ListingRejected(state.id, { ...factsOf(state), rejectedBy: moderatorId, reason })],
  };
}

export function suspendListing(
  listing: Listing,
  moderatorId: Id<'usr'>,
  reason: string,
  now: Date,
): Change<Listing> {
  const state: Listing = {
    ...moderated(listing, 'suspended', moderatorId, now),
    moderationStatus: 'flagged',
    moderationNotes: reason,
  };
  return { state, events: [withdrawn(state, 'suspended', moderatorId, reason)] };
}

/**
 * Whether the seller has submitted it, or this moderator decided so, since then: a request whose process died after
 * its commit, and which comes again with its key, finds what it did (promise 9).
 */
export const isSubmittedSince = ({ submittedAt }: Listing, since: Date): boolean =>
  submittedAt !== undefined && submittedAt >= since;
export const isModeratedSince = (
  { status, moderatedBy, moderatedAt }: Listing,
  to: ListingStatus,
  moderatorId: string,
  since: Date,
): boolean =>
  status === to && moderatedBy === moderatorId && moderatedAt !== undefined && moderatedAt >= since;

/** Takes an approved listing off sale for a while, or puts it back; it stays approved (decisions, A's `paused`). */
export function pauseListing(listing: Listing, paused: boolean, now: Date): Change<Listing> {
  if (listing.status !== 'approved')
    throw refuse(
      'conflict',
      'not_for_sale',
      `The listing is ${listing.status}; only an approved one can be paused.`,
    );
  return {
    state: { ...listing, pausedAt: paused ? (listing.pausedAt ?? now) : undefined, updatedAt: now },
    events: [],
  };
}

/** Deletes softly: purchases keep what they bought. */
export function deleteListing(
  listing: Listing,
  deletedBy: string,
  reason: string,
  now: Date,
): Change<Listing> {
  const state: Listing = {
    ...moveTo(listing, 'deleted', now),
    deletedAt: now,
    deletedBy,
    deletedReason: reason,
  };
  return { state, events: [withdrawn(state, 'deleted', deletedBy, reason)] };
}

/** Everybody sees what was approved and is not hidden; the seller and moderators see the rest. */
export function canSee(
  listing: Listing,
  viewer: { readonly id: string; readonly isModerator: boolean },
): boolean {
  if (viewer.isModerator) return true;
  if (listing.status === 'deleted') return false;
  return listing.sellerId === viewer.id || (listing.status === 'approved' && listing.visibility !== 'hidden');
}

/** Throws unless this person may buy it now: forbidden for one's own, not found or conflict for what is not for sale. */
export function assertForSale(listing: Listing | undefined, buyerId: Id<'usr'>): asserts listing is Listing {
  if (!listing || !canSee(listing, { id: buyerId, isModerator: false })) throw listingNotFound();
  if (listing.sellerId === buyerId)
    throw refuse('forbidden', 'own', 'This is your own listing; you cannot buy it.');
  if (listing.pausedAt)
    throw refuse('conflict', 'paused', 'The seller has paused this listing. Try again later.');
}

/** Lower-case words, the longest 32 characters; a search matches their beginnings. */
export function searchWordsOf(...texts: readonly string[]): string[] {
  const words =
    texts
      .join(' ')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words.map((word) => word.slice(0, SEARCH_WORD_CHARS_MAX)))].slice(0, SEARCH_WORDS_MAX);
}

export const promptDeleted = () =>
  refuse('conflict', 'prompt_deleted', 'The prompt of this listing was deleted; it cannot be sold any more.');

export const listingNotFound = () => refuse('not_found', 'not_found', 'There is no such listing.');

function moveTo(listing: Listing, status: ListingStatus, now: Date): Listing {
  if (!LISTING_TRANSITIONS[listing.status].includes(status))
    throw refuse('conflict', 'transition', `The listing is ${listing.status} and cannot become ${status}.`);
  return { ...listing, status, updatedAt: now };
}

function moderated(listing: Listing, status: ListingStatus, moderatorId: Id<'usr'>, now: Date): Listing {
  if (listing.sellerId === moderatorId)
    throw refuse('forbidden', 'own', 'This is your own listing; another moderator must decide on it.');
  return { ...moveTo(listing, status, now), moderatedBy: moderatorId, moderatedAt: now };
}

function factsOf({ id, promptId, sellerId, title, category, priceCredits }: Listing) {
  return { listingId: id, promptId, sellerId, title, category, priceCredits };
}

const withdrawn = (listing: Listing, how: 'suspended' | 'deleted', withdrawnBy: string, reason: string) =>
  ListingWithdrawn(listing.id, { ...factsOf(listing), how, withdrawnBy, reason });

const refuse = (kind: ErrorKind, reason: string, detail: string) =>
  new DomainError({ kind, code: `commerce.listing.${reason}`, detail });
