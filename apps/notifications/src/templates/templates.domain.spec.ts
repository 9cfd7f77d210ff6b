import { ListingPublished, ListingRejected } from '@atelier/contracts/commerce/listing.events';
import { PaymentFailed, PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import { JobFinished } from '@atelier/contracts/studio/job.events';
import { jobFinished } from './job-finished.domain.js';
import { listingPublished } from './listing-published.domain.js';
import { listingRejected } from './listing-rejected.domain.js';
import type { News } from './news.domain.js';
import { paymentFailed } from './payment-failed.domain.js';
import { paymentSucceeded } from './payment-succeeded.domain.js';
import { moneyText } from './payment-text.domain.js';
import { purchaseCompleted } from './purchase-completed.domain.js';
import { purchaseRefunded } from './purchase-refunded.domain.js';
import { userRegistered } from './user-registered.domain.js';

const only = (news: News[]): News => {
  expect(news).toHaveLength(1);
  return news[0]!;
};
const job = JobFinished.example;

describe('a purchase', () => {
  it('gives the buyer a receipt and the seller the split of the price', () => {
    const [buyer, seller, ...more] = purchaseCompleted(PurchaseCompleted.example);
    expect(more).toEqual([]);
    expect(buyer).toMatchObject({
      recipientId: PurchaseCompleted.example.buyerId,
      title: 'You bought “Product photo in a studio”',
      message: expect.stringContaining('100 credits'),
      actionUrl: `/api/v1/prompts/${PurchaseCompleted.example.promptId}`,
    });
    expect(buyer!.message).not.toContain('20 credits');
    expect(seller).toMatchObject({
      recipientId: PurchaseCompleted.example.sellerId,
      title: 'You sold “Product photo in a studio”',
      message: 'You earned 80 credits: the price of 100 credits less a fee of 20 credits.',
    });
  });

  it('tells both of a refund, with the reason and without who decided', () => {
    const [buyer, seller] = purchaseRefunded(PurchaseRefunded.example);
    expect(buyer).toMatchObject({ recipientId: PurchaseRefunded.example.buyerId, priority: 'high' });
    expect(buyer!.message).toBe('You have 100 credits back. Reason: Not as described.');
    expect(seller).toMatchObject({ recipientId: PurchaseRefunded.example.sellerId, type: 'warning' });
    expect(seller!.message).toContain('80 credits');
    expect(JSON.stringify([buyer, seller])).not.toContain(PurchaseRefunded.example.refundedBy);
  });
});

describe('a listing', () => {
  it('that was approved is good news for its seller', () => {
    expect(only(listingPublished(ListingPublished.example))).toMatchObject({
      recipientId: ListingPublished.example.sellerId,
      type: 'success',
      title: '“Product photo in a studio” is on the marketplace',
    });
  });

  it('that was refused comes with the reason', () => {
    expect(only(listingRejected(ListingRejected.example))).toMatchObject({
      recipientId: ListingRejected.example.sellerId,
      type: 'warning',
      priority: 'high',
      message: expect.stringContaining(ListingRejected.example.reason),
    });
  });
});

describe('a payment', () => {
  it('that succeeded names the sum and the credits', () => {
    expect(only(paymentSucceeded(PaymentSucceeded.example))).toMatchObject({
      recipientId: PaymentSucceeded.example.userId,
      category: 'billing',
      title: 'Payment of 19.99 USD received',
      message: expect.stringContaining('500 credits'),
    });
  });

  it('for something else than credits names what it was for', () => {
    const { credits, ...example } = PaymentSucceeded.example;
    expect(credits).toBe(500);
    expect(only(paymentSucceeded({ ...example, purpose: 'order' })).message).toContain('Your order is paid');
  });

  it('that failed says that nothing was charged, and why', () => {
    const news = only(paymentFailed(PaymentFailed.example));
    expect(news).toMatchObject({ type: 'error', priority: 'high', title: 'Payment of 19.99 USD failed' });
    expect(news.message).toMatch(/^Nothing was charged.*card declined$/);
  });

  it.each([
    ['1999', 'USD', '19.99 USD'],
    ['5', 'USD', '0.05 USD'],
    ['500', 'JPY', '500 JPY'],
    ['-1234', 'KWD', '-1.234 KWD'],
    ['9007199254740993', 'EUR', '90071992547409.93 EUR'],
  ])('of %s minor units of %s reads %s', (amount, currency, text) => {
    expect(moneyText({ amount, currency })).toBe(text);
  });
});

describe('a job', () => {
  it('that is done says what it cost, in the app only', () => {
    expect(only(jobFinished(job))).toMatchObject({
      recipientId: job.userId,
      type: 'success',
      title: '“cat.png” is ready',
      message: expect.stringContaining('5 credits'),
      channels: ['in_app'],
    });
  });

  const failure = { ...job, outcome: 'failed', chargedCredits: 0, resultId: null } as const;
  const reason = 'studio.enhancement.nothing_to_enhance';

  it('that failed says why in words and that the credits are back', () => {
    const reasonText = 'The picture is one flat tone. Nothing was charged.';
    const failed = jobFinished({ ...failure, reason, reasonText });
    expect(only(failed)).toMatchObject({ type: 'error', priority: 'high', channels: ['in_app', 'email'] });
    expect(failed[0]!.message).toBe(
      'The picture is one flat tone. Nothing was charged. Your 5 credits are available again.',
    );
  });

  it('that failed without words for it shows no code', () => {
    const failed = jobFinished({ ...failure, reason });
    expect(failed[0]!.message).toBe(
      'The job could not be finished. Nothing was charged. Your 5 credits are available again.',
    );
  });

  it('that was canceled is confirmed; one that cost nothing gives nothing back', () => {
    const canceled = jobFinished({ ...job, outcome: 'canceled', chargedCredits: 0, costCredits: 0 });
    expect(only(canceled)).toMatchObject({ priority: 'low', message: 'Nothing was charged.' });
  });

  it('of a visitor is told to nobody', () => {
    expect(jobFinished({ ...job, userId: null })).toEqual([]);
  });
});

it('a new person is welcomed without their address in the text', () => {
  const news = only(userRegistered(UserRegistered.example));
  expect(news).toMatchObject({ recipientId: UserRegistered.example.userId, title: 'Welcome to Atelier' });
  expect(JSON.stringify(news)).not.toContain('ada@example.org');
});
