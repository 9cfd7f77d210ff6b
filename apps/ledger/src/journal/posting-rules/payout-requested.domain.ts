import type { PayoutRequested } from '@atelier/contracts/ledger/payout.events';
import { earningsAccount, userAccount, type Currency, type EntryDraft } from '../entry.domain.js';

/** The cause of a payout's entry; what ends the payout finds by it what there is to undo. */
export const payoutCause = (payoutId: string): string => `payout_requested:${payoutId}`;

/** Credits leave the seller, and the money that they are worth is owed instead: user → payouts → earnings. */
export function payoutRequested({
  payoutId,
  userId,
  credits,
  amount,
}: typeof PayoutRequested.example): EntryDraft {
  const [currency, units] = [amount.currency as Currency, Number(amount.amount)];
  return {
    causeId: payoutCause(payoutId),
    sourceId: payoutId,
    postings: [
      { account: userAccount(userId), asset: 'credits', amount: -credits, type: 'spend_payout' },
      { account: 'platform:payouts', asset: 'credits', amount: credits },
      { account: 'platform:payouts', asset: currency, amount: -units },
      { account: earningsAccount(userId, currency), asset: currency, amount: units },
    ],
  };
}
