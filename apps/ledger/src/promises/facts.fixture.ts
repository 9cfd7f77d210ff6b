import { exampleEnvelope, newId, type EventEnvelope, type Id } from '@atelier/kernel';
import { PaymentRefunded, PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { UserRegistered } from '@atelier/contracts/identity/user.events';
import type { PlaceHoldRequest } from '@atelier/contracts/ledger/holds.api';
import { JobFinished } from '@atelier/contracts/studio/job.events';

/** What other services tell the ledger, as tests need it. */
export const registered = (userId: Id<'usr'>): EventEnvelope =>
  exampleEnvelope(UserRegistered, { ...UserRegistered.example, userId }, { subject: userId });

export function paid(userId: Id<'usr'>, credits: number, succeededAt = new Date()): EventEnvelope {
  const paymentId = newId('pay');
  const payment = { ...PaymentSucceeded.example, paymentId, userId, credits };
  const data = { ...payment, succeededAt: succeededAt.toISOString() };
  return exampleEnvelope(PaymentSucceeded, data, { subject: paymentId });
}

/** The money of that payment is given back. */
export const paidBack = (payment: EventEnvelope): EventEnvelope =>
  exampleEnvelope(
    PaymentRefunded,
    { ...(payment.data as typeof PaymentSucceeded.example), refundedAt: new Date().toISOString() },
    { subject: payment.subject, version: 2 },
  );

export const holdFor = <Kind extends 'pur' | 'job'>(
  kind: Kind,
  userId: Id<'usr'>,
  amount: number,
  ttlSeconds?: number,
): PlaceHoldRequest & { readonly sourceId: Id<Kind> } => ({
  holdId: newId('hld'),
  userId,
  amount,
  type: kind === 'pur' ? 'spend_marketplace' : 'spend_enhancement',
  sourceId: newId(kind),
  ...(ttlSeconds ? { ttlSeconds } : {}),
});

type PurchaseHold = PlaceHoldRequest & { readonly sourceId: Id<'pur'> };
type JobHold = PlaceHoldRequest & { readonly sourceId: Id<'job'> };

function purchaseOf({ holdId, userId, amount, sourceId }: PurchaseHold, sellerId: Id<'usr'>, fee: number) {
  const parts = { priceCredits: amount, platformFeeCredits: fee, sellerEarningsCredits: amount - fee };
  return { purchaseId: sourceId, holdId, buyerId: userId, sellerId, ...parts };
}
export const sold = (hold: PurchaseHold, sellerId: Id<'usr'>, fee: number): EventEnvelope =>
  exampleEnvelope(
    PurchaseCompleted,
    { ...PurchaseCompleted.example, ...purchaseOf(hold, sellerId, fee) },
    { subject: hold.sourceId },
  );
export const refunded = (hold: PurchaseHold, sellerId: Id<'usr'>, fee: number): EventEnvelope =>
  exampleEnvelope(
    PurchaseRefunded,
    { ...PurchaseRefunded.example, ...purchaseOf(hold, sellerId, fee) },
    { subject: hold.sourceId, version: 2 },
  );

/** `chargedCredits` 0 is a job that failed. */
export function jobEnded(
  { holdId, userId, amount, sourceId }: JobHold,
  chargedCredits: number,
): EventEnvelope {
  const ids = { jobId: sourceId, userId, holdId, costCredits: amount };
  const outcome = chargedCredits > 0 ? 'completed' : 'failed';
  const data = { ...JobFinished.example, ...ids, outcome, chargedCredits } as const;
  return exampleEnvelope(JobFinished, data, { subject: sourceId });
}
