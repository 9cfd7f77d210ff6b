import {
  ListingPublished,
  ListingRejected,
  ListingWithdrawn,
} from '@atelier/contracts/commerce/listing.events';
import { LISTING_STATUSES } from '@atelier/contracts/commerce/listings.api';
import { newId } from '@atelier/kernel';
import {
  approveListing,
  assertForSale,
  canSee,
  deleteListing,
  draftListing,
  editListing,
  pauseListing,
  rejectListing,
  searchWordsOf,
  submitListing,
  suspendListing,
  type Listing,
} from './listing.domain.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const sellerId = newId('usr');
const moderatorId = newId('usr');
const draft = draftListing(
  {
    id: newId('lst'),
    sellerId,
    promptId: newId('prm'),
    title: 'Product photo',
    description: 'Soft light.',
    category: 'image',
    tags: ['photo'],
    priceCredits: 100,
  },
  now,
).state;
const inStatus = (status: Listing['status']): Listing => ({ ...draft, status });
const pending = submitListing(draft, now).state;
const approved = approveListing(pending, moderatorId, now).state;

describe('a listing', () => {
  it('goes from draft through review to the marketplace (R103, R104)', () => {
    expect(pending).toMatchObject({ status: 'pending', moderationStatus: 'under_review' });
    expect(approved).toMatchObject({
      status: 'approved',
      moderationStatus: 'approved',
      moderatedBy: moderatorId,
    });
    expect(approved.publishedAt).toEqual(now);
    expect(approveListing(pending, moderatorId, now).events).toEqual([
      ListingPublished(draft.id, {
        ...{ listingId: draft.id, promptId: draft.promptId, sellerId, title: 'Product photo' },
        ...{ category: 'image', priceCredits: 100, approvedBy: moderatorId },
      }),
    ]);
  });

  it('makes the moves of its life cycle and no others (R103)', () => {
    const moves: Record<string, (listing: Listing) => unknown> = {
      pending: (listing) => submitListing(listing, now),
      approved: (listing) => approveListing(listing, moderatorId, now),
      rejected: (listing) => rejectListing(listing, moderatorId, 'no', now),
      suspended: (listing) => suspendListing(listing, moderatorId, 'no', now),
      deleted: (listing) => deleteListing(listing, sellerId, 'gone', now),
    };
    const allowed = [
      ...['draft to pending', 'pending to approved', 'pending to rejected', 'approved to suspended'],
      ...['suspended to approved', 'draft to deleted', 'pending to deleted', 'approved to deleted'],
      ...['rejected to deleted', 'suspended to deleted'],
    ];
    for (const from of LISTING_STATUSES)
      for (const [to, move] of Object.entries(moves)) {
        if (allowed.includes(`${from} to ${to}`)) expect(() => move(inStatus(from))).not.toThrow();
        else expect(() => move(inStatus(from))).toThrow(`is ${from} and cannot become ${to}`);
      }
  });

  it('is never moderated by its own seller', () => {
    expect(() => approveListing(pending, sellerId, now)).toThrow(
      expect.objectContaining({ code: 'commerce.listing.own' }),
    );
    expect(() => suspendListing(approved, sellerId, 'x', now)).toThrow(
      expect.objectContaining({ kind: 'forbidden' }),
    );
  });

  it('is a draft again when a rejected one is edited, and cannot be edited while reviewed or for sale', () => {
    const rejected = rejectListing(pending, moderatorId, 'The preview shows another prompt.', now);
    expect(rejected.events[0]!.definition).toBe(ListingRejected);
    const edited = editListing(rejected.state, { title: 'Café light' }, now).state;
    expect(edited.status).toBe('draft');
    expect(edited.searchWords).toContain('café');
    for (const locked of [pending, approved])
      expect(() => editListing(locked, { priceCredits: 1 }, now)).toThrow(
        expect.objectContaining({ code: 'commerce.listing.not_editable' }),
      );
  });

  it('comes back after a suspension with the day of its first publication', () => {
    const suspended = suspendListing(approved, moderatorId, 'Reported.', now);
    expect(suspended.events[0]!.definition).toBe(ListingWithdrawn);
    const back = approveListing(suspended.state, moderatorId, new Date('2027-01-01T00:00:00.000Z')).state;
    expect(back.publishedAt).toEqual(now);
    expect(back.moderationNotes).toBeUndefined();
  });

  it('is seen by everybody only while it is approved and not hidden (R30)', () => {
    const stranger = { id: newId('usr'), isModerator: false };
    for (const status of LISTING_STATUSES)
      expect(canSee(inStatus(status), stranger)).toBe(status === 'approved');
    expect(canSee({ ...approved, visibility: 'hidden' }, stranger)).toBe(false);
    expect(canSee(draft, { id: sellerId, isModerator: false })).toBe(true);
    expect(canSee(inStatus('deleted'), { id: sellerId, isModerator: false })).toBe(false);
    expect(canSee(inStatus('deleted'), { id: newId('usr'), isModerator: true })).toBe(true);
  });

  it('is sold to anybody but its seller, and not while it is paused', () => {
    const buyer = newId('usr');
    expect(() => assertForSale(approved, buyer)).not.toThrow();
    const refusal = (listing: Listing | undefined, who = buyer) => {
      try {
        assertForSale(listing, who);
        return undefined;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(refusal(approved, sellerId)).toBe('commerce.listing.own');
    expect(refusal(draft)).toBe('commerce.listing.not_found');
    expect(refusal(undefined)).toBe('commerce.listing.not_found');
    expect(refusal(pauseListing(approved, true, now).state)).toBe('commerce.listing.paused');
    expect(refusal(pauseListing(pauseListing(approved, true, now).state, false, now).state)).toBeUndefined();
  });

  it('is found by lower-case words, each once and none too long (R106)', () => {
    expect(searchWordsOf('Soft LIGHT, soft', 'Größe 3D')).toEqual(['soft', 'light', 'größe', '3d']);
    expect(searchWordsOf('x'.repeat(500))[0]).toHaveLength(32);
    expect(searchWordsOf('.*', '$^')).toEqual([]);
  });

  it('is found by its tags, however long its description is (R106)', () => {
    const description = Array.from({ length: 400 }, (_, n) => `word${n}`).join(' ');
    const long = editListing(draft, { description, tags: ['zebra'] }, now).state;
    expect(long.searchWords).toHaveLength(300);
    expect(long.searchWords.slice(0, 3)).toEqual(['product', 'photo', 'zebra']);
  });
});
