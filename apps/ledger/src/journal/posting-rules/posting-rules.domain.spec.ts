import { newId } from '@atelier/kernel';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import {
  PurchaseCompleted,
  PurchaseFailed,
  PurchaseRefunded,
} from '@atelier/contracts/commerce/purchase.events';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import { SPEND_TYPES } from '@atelier/contracts/ledger/credits.events';
import { JOB_KINDS, JobFinished } from '@atelier/contracts/studio/job.events';
import type { Adjustment } from '../../adjustments/adjustment.domain.js';
import type { Referral } from '../../referrals/referral.domain.js';
import { turnEntries } from '../../regeneration/regeneration.domain.js';
import type { Redemption } from '../../vouchers/redemption.domain.js';
import { assertBalanced, CHAIN_START, sealEntry, type EntryDraft } from '../entry.domain.js';
import { adjustmentApproved } from './adjustment-approved.domain.js';
import { jobFinished } from './job-finished.domain.js';
import { paymentRefunded } from './payment-refunded.domain.js';
import { paymentSucceeded } from './payment-succeeded.domain.js';
import { purchaseCompleted } from './purchase-completed.domain.js';
import { purchaseFailed } from './purchase-failed.domain.js';
import { purchaseRefunded } from './purchase-refunded.domain.js';
import { referralCompleted } from './referral-completed.domain.js';
import { userRegistered } from './user-registered.domain.js';
import { voucherRedeemed } from './voucher-redeemed.domain.js';

/** `account amount type`, one line per posting; refuses an entry that the journal would refuse. */
function told(draft: EntryDraft | null | undefined): string[] {
  if (!draft) return [];
  assertBalanced(draft);
  return draft.postings.map(({ account, amount, ...rest }) =>
    [account, amount, 'type' in rest ? rest.type : ''].join(' ').trim(),
  );
}
const purchase = PurchaseCompleted.example;
const [buyer, seller] = [`user:${purchase.buyerId}`, `user:${purchase.sellerId}`];

it('a registration is a gift of the promotions account', () => {
  const user = UserRegistered.example;
  expect(told(userRegistered(user, 50))).toEqual([
    'platform:promotions -50',
    `user:${user.userId} 50 earn_bonus`,
  ]);
});

it('a payment brings the credits of its package, and other payments none', () => {
  const payment = PaymentSucceeded.example;
  expect(told(paymentSucceeded(payment))).toEqual([
    'platform:clearing -500',
    `user:${payment.userId} 500 earn_purchase`,
  ]);
  expect(paymentSucceeded({ ...payment, purpose: 'order', credits: undefined })).toBeNull();
});

it('a payment that is refunded takes back what it brought, as it was posted and not as the refund tells it (R253)', () => {
  const payment = PaymentSucceeded.example;
  const draft = paymentSucceeded(payment)!;
  const link = { account: `user:${payment.userId}` as const, sequence: 1, previousHash: CHAIN_START };
  const head = { id: newId('jrn'), links: [link], correlationId: 'req_1', createdAt: new Date(0) };
  const posted = sealEntry(draft, head);
  const refund = paymentRefunded(payment, posted);
  expect(told(refund)).toEqual([`user:${payment.userId} -500 payment_refund`, 'platform:refunds 500']);
  expect(refund).toMatchObject({ reverses: posted.id, sourceId: payment.paymentId });
  expect(refund.causeId).not.toBe(draft.causeId);
});

describe('a purchase', () => {
  it('goes from the buyer to the seller and the platform', () => {
    expect(told(purchaseCompleted(purchase))).toEqual([
      `${buyer} -100 spend_marketplace`,
      `${seller} 80 earn_sale`,
      'platform:revenue 20',
    ]);
  });

  it('without a fee leaves the platform out', () => {
    const draft = purchaseCompleted({ ...purchase, platformFeeCredits: 0, sellerEarningsCredits: 100 });
    expect(told(draft)).toEqual([`${buyer} -100 spend_marketplace`, `${seller} 100 earn_sale`]);
  });

  it('whose parts are not its price is refused', () => {
    expect(() => told(purchaseCompleted({ ...purchase, platformFeeCredits: 21 }))).toThrow('sum to 1');
  });

  it('that is refunded is undone part by part, as it was posted and not as the refund tells it', () => {
    const id = newId('jrn');
    const head = {
      id,
      links: [{ account: `user:${purchase.buyerId}` as const, sequence: 1, previousHash: CHAIN_START }],
    };
    const posted = sealEntry(purchaseCompleted(purchase), {
      ...head,
      correlationId: 'req_1',
      createdAt: new Date(0),
    });
    const refund = purchaseRefunded({ ...PurchaseRefunded.example, priceCredits: 1_000_000 }, posted);
    expect(told(refund)).toEqual([
      `${buyer} 100 refund`,
      `${seller} -80 refund_reversal`,
      'platform:revenue -20',
    ]);
    expect(refund.reverses).toBe(id);
    expect(refund.causeId).not.toBe(posted.causeId);
  });

  it('that failed gives its hold back, if it had one', () => {
    const { holdId } = purchase;
    expect(purchaseFailed({ ...PurchaseFailed.example, holdId })).toEqual({
      holdId,
      end: 'release',
      reason: 'failed',
      mayBeMissing: true,
    });
    expect(purchaseFailed(PurchaseFailed.example)).toBeNull();
  });
});

describe('a job', () => {
  const job = JobFinished.example;

  it.each(JOB_KINDS)('of kind %s that completed is captured into the revenue', (kind) => {
    const settlement = jobFinished({ ...job, kind });
    const [charge, revenue] = told(settlement?.end === 'capture' ? settlement.entry : null);
    expect(charge).toMatch(new RegExp(`^user:${job.userId} -5 spend_`));
    expect(revenue).toBe('platform:revenue 5');
  });

  it.each(['failed', 'canceled'] as const)('that %s gives its hold back', (outcome) => {
    expect(jobFinished({ ...job, outcome, chargedCredits: 0 })).toMatchObject({
      end: 'release',
      reason: outcome,
    });
  });

  it.each(['failed', 'canceled'] as const)('that %s is not charged, whatever it says', (outcome) => {
    expect(() => jobFinished({ ...job, outcome, chargedCredits: 5 })).toThrow('charges 5 credits');
  });

  it('of a visitor has nothing to settle', () => {
    expect(jobFinished({ ...job, userId: null, holdId: null })).toBeNull();
  });
});

describe('a movement', () => {
  const userId = newId('usr');
  const typesOf = (draft: EntryDraft | null | undefined) =>
    told(draft).flatMap((line) => (line.startsWith('user:') ? [line.split(' ')[2]] : []));
  const job = (kind: (typeof JOB_KINDS)[number]) => {
    const settlement = jobFinished({ ...JobFinished.example, kind });
    return settlement?.end === 'capture' ? settlement.entry : null;
  };
  const referral = { id: newId('ref'), referrerId: userId, refereeId: newId('usr') } as Referral;
  const redemption = { id: newId('vrd'), userId, creditsGranted: 5 } as Redemption;
  const adjusted = (amount: number) => adjustmentApproved({ id: newId('adj'), userId, amount } as Adjustment);
  const head = { id: newId('jrn'), links: [], correlationId: 'req_1', createdAt: new Date(0) };
  const sale = sealEntry(purchaseCompleted(purchase), head);

  it.each([
    [
      'earn_regeneration',
      "a month's turn",
      turnEntries(userId, { month: '2026-12', expired: 0, granted: 5 })[0],
    ],
    ['earn_purchase', 'a package', paymentSucceeded(PaymentSucceeded.example)],
    ['earn_bonus', 'a registration', userRegistered(UserRegistered.example, 5)],
    ['earn_bonus', 'a referral', referralCompleted(referral, 5)],
    ['earn_bonus', 'a voucher', voucherRedeemed(redemption)],
    ['earn_admin_adjustment', 'an admin', adjusted(5)],
    ['spend_enhancement', 'an enhancement', job('image_enhancement')],
    ['spend_mcp_generation', 'an MCP generation', job('mcp_generation')],
  ])('is %s when it is by %s (R511)', (type, _, draft) => {
    expect(typesOf(draft)).toEqual([type]);
  });

  it('is refund when the buyer of a refunded sale gets it back (R511)', () => {
    expect(typesOf(purchaseRefunded(PurchaseRefunded.example, sale))).toEqual(['refund', 'refund_reversal']);
  });

  it('may be held for as spend_box_creation; no box is charged yet (R511)', () => {
    expect(SPEND_TYPES).toContain('spend_box_creation');
  });
});
