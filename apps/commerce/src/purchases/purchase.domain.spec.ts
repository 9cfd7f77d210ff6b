import fc from 'fast-check';
import {
  PurchaseCompleted,
  PurchaseFailed,
  PurchaseRefunded,
} from '@atelier/contracts/commerce/purchase.events';
import { PURCHASE_PAYMENT_STATUSES } from '@atelier/contracts/commerce/purchases.api';
import { newId } from '@atelier/kernel';
import { approveListing, draftListing, submitListing } from '../listings/listing.domain.js';
import {
  completePurchase,
  failPurchase,
  refundPurchase,
  startPurchase,
  type Purchase,
} from './purchase.domain.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const moderatorId = newId('usr');

function listingAt(priceCredits: number) {
  const draft = draftListing(
    {
      ...{
        id: newId('lst'),
        sellerId: newId('usr'),
        promptId: newId('prm'),
        title: 'Photo',
        description: 'Light.',
      },
      ...{ category: 'image', tags: [], priceCredits },
    },
    now,
  );
  return approveListing(submitListing(draft.state, now).state, moderatorId, now).state;
}

const start = (priceCredits = 100, platformFeeBasisPoints = 2_000): Purchase =>
  startPurchase(
    {
      ...{
        id: newId('pur'),
        buyerId: newId('usr'),
        listing: listingAt(priceCredits),
        platformFeeBasisPoints,
      },
      origin: { correlationId: 'req_1' },
    },
    now,
  ).state;

describe('a purchase', () => {
  it('splits every price into fee and earnings to the credit, whatever the fee (R111)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 0, max: 10_000 }),
        (price, fee) => {
          const purchase = start(price, fee);
          expect(purchase.platformFeeCredits + purchase.sellerEarningsCredits).toBe(price);
          expect(Math.abs(purchase.platformFeeCredits - (price * fee) / 10_000)).toBeLessThan(1);
          expect(purchase.sellerEarningsCredits).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  it('is completed and delivered in one, and says so in full (R112, R113)', () => {
    const pending = start();
    const { state, events } = completePurchase(pending, now);
    expect(state).toMatchObject({
      paymentStatus: 'completed',
      fulfillmentStatus: 'delivered',
      deliveredAt: now,
    });
    expect(events).toHaveLength(1);
    expect(events[0]!.definition).toBe(PurchaseCompleted);
    expect(events[0]!.data).toMatchObject({
      ...{ purchaseId: pending.id, holdId: pending.holdId, priceCredits: 100 },
      ...{ platformFeeCredits: 20, sellerEarningsCredits: 80, completedAt: now.toISOString() },
    });
  });

  it('names its hold whenever it is given up, also when the ledger refused: another request may have placed it', () => {
    for (const reason of ['abandoned', 'hold_ended', 'insufficient_credits'] as const) {
      const failed = failPurchase(start(), reason, now);
      expect(failed.events[0]!.definition).toBe(PurchaseFailed);
      expect(failed.events[0]!.data).toMatchObject({ holdId: failed.state.holdId, reason });
    }
  });

  it('is refunded in full, with who and why (R34, R116)', () => {
    const completed = completePurchase(start(), now).state;
    const { state, events } = refundPurchase(
      completed,
      { refundedBy: moderatorId, reason: 'Not as described.' },
      now,
    );
    expect(state.refund).toEqual({
      ...{ amountCredits: 100, reason: 'Not as described.', refundedBy: moderatorId },
      ...{ requestedAt: now, processedAt: now, status: 'processed' },
    });
    expect(events[0]!.definition).toBe(PurchaseRefunded);
  });

  it('ends once: no end can be followed by another (R112)', () => {
    const refund = (p: Purchase) => refundPurchase(p, { refundedBy: moderatorId, reason: 'x' }, now);
    const moves: Record<string, (purchase: Purchase) => unknown> = {
      completed: (purchase) => completePurchase(purchase, now),
      failed: (purchase) => failPurchase(purchase, 'abandoned', now),
      refunded: refund,
    };
    const allowed = ['pending to completed', 'pending to failed', 'completed to refunded'];
    const afterDispute = ['disputed to refunded', 'disputed to completed'];
    for (const from of PURCHASE_PAYMENT_STATUSES)
      for (const [to, move] of Object.entries(moves)) {
        const purchase = { ...start(), paymentStatus: from };
        if ([...allowed, ...afterDispute].includes(`${from} to ${to}`))
          expect(() => move(purchase)).not.toThrow();
        else expect(() => move(purchase)).toThrow(`is ${from} and cannot become ${to}`);
      }
  });

  it('always has the same hold, however often it is resumed', () => {
    const listing = listingAt(5);
    const input = {
      id: newId('pur'),
      buyerId: newId('usr'),
      listing,
      platformFeeBasisPoints: 0,
      origin: { correlationId: 'r' },
    };
    expect(startPurchase(input, now).state.holdId).toBe(startPurchase(input, now).state.holdId);
  });
});
