import type { PayoutPaid, PayoutRequested } from '@atelier/contracts/ledger/payout.events';
import {
  earningsAccount,
  isUserPosting,
  type Currency,
  type Entry,
  type EntryDraft,
} from '../entry.domain.js';

/** Both ends have one cause, so a payout is paid or given back, and that once. */
const endCause = (payoutId: string): string => `payout_ended:${payoutId}`;

/** The provider has paid the seller: earnings → clearing. */
export function payoutPaid({ payoutId, userId, amount }: typeof PayoutPaid.example): EntryDraft {
  const [currency, units] = [amount.currency as Currency, Number(amount.amount)];
  return {
    causeId: endCause(payoutId),
    sourceId: payoutId,
    postings: [
      { account: earningsAccount(userId, currency), asset: currency, amount: -units },
      { account: 'platform:clearing', asset: currency, amount: units },
    ],
  };
}

/** A payout that is rejected, canceled or failed: its entry is reversed, part by part. */
export function payoutReturned(
  { payoutId }: Pick<typeof PayoutRequested.example, 'payoutId'>,
  request: Entry,
): EntryDraft {
  return {
    causeId: endCause(payoutId),
    sourceId: payoutId,
    reverses: request.id,
    postings: request.postings.map((posting) =>
      isUserPosting(posting)
        ? { ...posting, amount: -posting.amount, type: 'payout_return' }
        : { ...posting, amount: -posting.amount },
    ),
  };
}
