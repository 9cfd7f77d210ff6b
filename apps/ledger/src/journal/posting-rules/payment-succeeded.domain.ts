import type { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { userAccount, type EntryDraft } from '../entry.domain.js';

/** The cause of a payment's entry; a refund finds by it what there is to take back. */
export const paymentCause = (paymentId: string): string => `payment_succeeded:${paymentId}`;

/** Credits that were paid for with money: clearing → user. Null for a payment that buys no credits. */
export function paymentSucceeded({
  paymentId,
  userId,
  credits = 0,
}: typeof PaymentSucceeded.example): EntryDraft | null {
  if (credits === 0) return null;
  return {
    causeId: paymentCause(paymentId),
    sourceId: paymentId,
    postings: [
      { account: 'platform:clearing', asset: 'credits', amount: -credits },
      { account: userAccount(userId), asset: 'credits', amount: credits, type: 'earn_purchase' },
    ],
  };
}
