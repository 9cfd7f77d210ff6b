import {
  PurchaseCompleted,
  PurchaseFailed,
  PurchaseRefunded,
} from '@atelier/contracts/commerce/purchase.events';
import type {
  FULFILLMENT_STATUSES,
  PURCHASE_PAYMENT_STATUSES,
} from '@atelier/contracts/commerce/purchases.api';
import { derivedId, DomainError, splitByBasisPoints, type Change, type Id } from '@atelier/kernel';
import { assertForSale, type Listing } from '../listings/listing.domain.js';
import type { Origin } from '../caller.js';

// A purchase turns credits into the right to read a prompt.
// - Price = platform fee + seller's earnings, to the credit, fixed when the purchase begins.
// - It is paid by one hold at the ledger, whose id follows from the purchase's: placing it again is safe.
// - A buyer has at most one purchase of a listing that stands (pending, completed or disputed).
// - It ends once: completed or failed; a completed one is refunded at most once, in full.

export type PaymentStatus = (typeof PURCHASE_PAYMENT_STATUSES)[number];
export type FailureReason = 'insufficient_credits' | 'hold_ended' | 'abandoned';

export interface Purchase {
  readonly id: Id<'pur'>;
  readonly version: number;
  readonly buyerId: Id<'usr'>;
  readonly sellerId: Id<'usr'>;
  readonly listingId: Id<'lst'>;
  readonly promptId: Id<'prm'>;
  readonly title: string;
  readonly holdId: Id<'hld'>;
  readonly paymentMethod: 'credits';
  readonly priceCredits: number;
  readonly platformFeeBasisPoints: number;
  readonly platformFeeCredits: number;
  readonly sellerEarningsCredits: number;
  readonly paymentStatus: PaymentStatus;
  readonly fulfillmentStatus: (typeof FULFILLMENT_STATUSES)[number];
  /** Which unit of a listing with limited stock this is, from 1. */
  readonly unitNumber?: number;
  readonly failureReason?: FailureReason;
  readonly refund?: {
    readonly amountCredits: number;
    readonly reason: string;
    readonly refundedBy: string;
    readonly requestedAt: Date;
    readonly processedAt: Date;
    readonly status: 'processed';
  };
  readonly downloadCount: number;
  readonly origin: Origin;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly completedAt?: Date;
  readonly deliveredAt?: Date;
  readonly failedAt?: Date;
}

/** SM19 */
export const PURCHASE_TRANSITIONS: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  pending: ['completed', 'failed'],
  completed: ['refunded', 'disputed'],
  disputed: ['refunded', 'completed'],
  failed: [],
  refunded: [],
};

/** While a purchase is one of these, its buyer cannot buy the listing again, and its unit of the stock is taken. */
export const STANDING_STATUSES: readonly PaymentStatus[] = ['pending', 'completed', 'disputed'];

export interface PurchaseInput {
  readonly id: Id<'pur'>;
  readonly buyerId: Id<'usr'>;
  readonly listing: Listing | undefined;
  readonly unitNumber?: number | undefined;
  readonly platformFeeBasisPoints: number;
  readonly origin: Origin;
}

/** Begins a purchase of what is for sale to this buyer, at its price of now. The fee's odd credit is rounded (R111). */
export function startPurchase(input: PurchaseInput, now: Date): Change<Purchase> {
  const { id, buyerId, listing, unitNumber, platformFeeBasisPoints, origin } = input;
  assertForSale(listing, buyerId);
  const { share, rest } = splitByBasisPoints(listing.priceCredits, platformFeeBasisPoints);
  const state: Purchase = {
    id,
    version: 0,
    buyerId,
    sellerId: listing.sellerId,
    listingId: listing.id,
    promptId: listing.promptId,
    title: listing.title,
    holdId: derivedId('hld', id, now),
    paymentMethod: 'credits',
    priceCredits: listing.priceCredits,
    platformFeeBasisPoints,
    platformFeeCredits: share,
    sellerEarningsCredits: rest,
    paymentStatus: 'pending',
    fulfillmentStatus: 'pending',
    ...(unitNumber === undefined ? {} : { unitNumber }),
    downloadCount: 0,
    origin,
    createdAt: now,
    updatedAt: now,
  };
  return { state, events: [] };
}

/** The hold stands: the prompt is the buyer's, and delivered by that. */
export function completePurchase(purchase: Purchase, now: Date): Change<Purchase> {
  const state: Purchase = {
    ...moveTo(purchase, 'completed', now),
    fulfillmentStatus: 'delivered',
    completedAt: now,
    deliveredAt: now,
  };
  return {
    state,
    events: [PurchaseCompleted(state.id, { ...factsOf(state), completedAt: now.toISOString() })],
  };
}

/**
 * Gives a pending purchase up. There may be a hold, even when the ledger refused one: two requests of a buyer share
 * the pending purchase, and credits may have come between them. So its id is always told, to be released.
 */
export function failPurchase(purchase: Purchase, reason: FailureReason, now: Date): Change<Purchase> {
  const state: Purchase = {
    ...moveTo(purchase, 'failed', now),
    fulfillmentStatus: 'failed',
    failureReason: reason,
    failedAt: now,
  };
  return { state, events: [PurchaseFailed(state.id, { ...factsOf(state), reason })] };
}

/** Undoes a completed purchase in full, once (R34, R116). */
export function refundPurchase(
  purchase: Purchase,
  { refundedBy, reason }: { refundedBy: Id<'usr'>; reason: string },
  now: Date,
): Change<Purchase> {
  const state: Purchase = {
    ...moveTo(purchase, 'refunded', now),
    refund: {
      amountCredits: purchase.priceCredits,
      reason,
      refundedBy,
      requestedAt: now,
      processedAt: now,
      status: 'processed',
    },
  };
  const refunded = { ...factsOf(state), refundedBy, reason, refundedAt: now.toISOString() };
  return { state, events: [PurchaseRefunded(state.id, refunded)] };
}

/**
 * Whether this moderator has refunded it so since then: a request whose process died after its commit, and which
 * comes again with its key, finds what it did (promise 9).
 */
export const isRefundedSince = (
  { paymentStatus, refund }: Purchase,
  refundedBy: string,
  since: Date,
): boolean =>
  paymentStatus === 'refunded' && refund?.refundedBy === refundedBy && refund.processedAt >= since;

export const purchaseNotFound = () =>
  new DomainError({
    kind: 'not_found',
    code: 'commerce.purchase.not_found',
    detail: 'There is no such purchase.',
  });

export const alreadyOwned = (purchaseId: string) =>
  new DomainError({
    kind: 'conflict',
    code: 'commerce.purchase.already_owned',
    detail: 'You own this already.',
    extra: { purchaseId },
  });

/** The purchase that this request began has failed; its key cannot begin another. */
export const purchaseEnded = (purchase: Purchase) =>
  new DomainError({
    kind: 'conflict',
    code: 'commerce.purchase.ended',
    detail: 'This purchase was given up, and nothing was charged. Buy again with a new Idempotency-Key.',
    extra: { purchaseId: purchase.id, ...(purchase.failureReason ? { reason: purchase.failureReason } : {}) },
  });

export const soldOut = () =>
  new DomainError({
    kind: 'conflict',
    code: 'commerce.listing.sold_out',
    detail: 'This listing is sold out.',
  });

function moveTo(purchase: Purchase, paymentStatus: PaymentStatus, now: Date): Purchase {
  if (!PURCHASE_TRANSITIONS[purchase.paymentStatus].includes(paymentStatus))
    throw new DomainError({
      kind: 'conflict',
      code: 'commerce.purchase.transition',
      detail: `The purchase is ${purchase.paymentStatus} and cannot become ${paymentStatus}.`,
    });
  return { ...purchase, paymentStatus, updatedAt: now };
}

function factsOf(purchase: Purchase) {
  const { id, listingId, promptId, title, buyerId, sellerId, holdId } = purchase;
  const { priceCredits, platformFeeCredits, sellerEarningsCredits } = purchase;
  return {
    ...{ purchaseId: id, listingId, promptId, title, buyerId, sellerId, holdId },
    ...{ priceCredits, platformFeeCredits, sellerEarningsCredits },
  };
}
