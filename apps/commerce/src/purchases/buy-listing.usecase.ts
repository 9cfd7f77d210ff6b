import { randomInt } from 'node:crypto';
import { Clock, DomainError, idFor, type Context } from '@atelier/kernel';
import { InjectConfig, UseCase } from '@atelier/service';
import { callerOf, originOf } from '../caller.js';
import { commerceConfig, type CommerceConfig } from '../commerce.config.js';
import { assertForSale, type Listing } from '../listings/listing.domain.js';
import { ReadListing } from '../listings/read-listing.usecase.js';
import { LedgerClient } from './ledger.client.js';
import {
  alreadyOwned,
  completePurchase,
  failPurchase,
  purchaseEnded,
  soldOut,
  startPurchase,
  type FailureReason,
  type Purchase,
} from './purchase.domain.js';
import { PurchaseRepository } from './purchase.repository.js';

/** Longer than a purchase may be pending: the sweep releases the hold first, its own expiry is the backstop. */
const HOLD_TTL_FACTOR = 5;

/**
 * Buys a listing with credits: notes the purchase, has the credits held, completes it. A purchase that a crash left
 * between the steps goes on where it was when its buyer asks again.
 * Emits: PurchaseCompleted, or PurchaseFailed when credits are short.
 * Fails with: commerce.listing.not_found|own|paused|sold_out, commerce.purchase.already_owned|ended,
 * ledger.credits.insufficient, ledger.unavailable.
 */
@UseCase('commerce.buy-listing')
export class BuyListing {
  constructor(
    private readonly purchases: PurchaseRepository,
    private readonly readListing: ReadListing,
    private readonly ledger: LedgerClient,
    private readonly clock: Clock,
    @InjectConfig(commerceConfig) private readonly config: CommerceConfig,
  ) {}

  async execute({ listingId }: { listingId: string }, context: Context): Promise<Purchase> {
    const purchase = await this.begin(listingId, context);
    if (purchase.paymentStatus === 'failed') throw purchaseEnded(purchase);
    if (purchase.paymentStatus !== 'pending') return purchase;
    await this.hold(purchase, context);
    return this.purchases.save(completePurchase(purchase, this.clock.now()), context);
  }

  /** The purchase of this request if it is a repeat, the buyer's pending one if there is one, else a new one. */
  private async begin(listingId: string, context: Context): Promise<Purchase> {
    const buyerId = callerOf(context);
    const id = idFor(context, 'pur');
    const repeated = await this.purchases.load(id, { buyerId });
    if (repeated) return repeated;
    const standing = await this.purchases.standing(buyerId, listingId);
    if (standing?.paymentStatus === 'pending') return standing;
    if (standing) throw alreadyOwned(standing.id);
    const listing = await this.readListing.execute(listingId, context);
    // Before the stock: one's own listing is refused as that, sold out or not.
    assertForSale(listing, buyerId);
    const { PLATFORM_FEE_BASIS_POINTS: platformFeeBasisPoints } = this.config;
    const unitNumber = listing.stock === undefined ? undefined : await this.freeUnit(listing, listing.stock);
    const origin = originOf(context);
    const change = startPurchase(
      { id, buyerId, listing, unitNumber, platformFeeBasisPoints, origin },
      this.clock.now(),
    );
    return this.purchases.save(change, context);
  }

  /** Any unit that is free: picking at random, buyers who come together rarely reach for the same. */
  private async freeUnit(listing: Listing, stock: number): Promise<number> {
    const taken = await this.purchases.unitsTaken(listing);
    const free = Array.from({ length: stock }, (_, index) => index + 1).filter((unit) => !taken.has(unit));
    if (free.length === 0) throw soldOut();
    return free[randomInt(free.length)]!;
  }

  private async hold(purchase: Purchase, context: Context): Promise<void> {
    const { holdId, buyerId, priceCredits, id } = purchase;
    try {
      const ttlSeconds = Math.ceil((this.config.PURCHASE_PENDING_MAX_MS * HOLD_TTL_FACTOR) / 1_000);
      const hold = await this.ledger.placeHold(
        {
          holdId,
          userId: buyerId,
          amount: priceCredits,
          type: 'spend_marketplace',
          sourceId: id,
          ttlSeconds,
        },
        context,
      );
      if (hold.status === 'held' || hold.status === 'captured') return;
    } catch (error) {
      // Whatever else went wrong, the hold may stand: the purchase stays pending, for a repeat or for the sweep.
      if (error instanceof DomainError && error.kind === 'payment_required')
        await this.fail(purchase, 'insufficient_credits', context);
      throw error;
    }
    throw purchaseEnded(await this.fail(purchase, 'hold_ended', context));
  }

  private fail(purchase: Purchase, reason: FailureReason, context: Context): Promise<Purchase> {
    return this.purchases.save(failPurchase(purchase, reason, this.clock.now()), context);
  }
}
