import { userAccount, type EntryDraft } from '../entry.domain.js';
import type { Referral } from '../../referrals/referral.domain.js';

/** The thanks for bringing somebody: promotions → referrer, once per referee. Null when it is configured to be 0. */
export function referralCompleted(
  { id, referrerId, refereeId }: Referral,
  grantCredits: number,
): EntryDraft | null {
  if (grantCredits === 0) return null;
  return {
    causeId: `referral_completed:${refereeId}`,
    sourceId: id,
    postings: [
      { account: 'platform:promotions', asset: 'credits', amount: -grantCredits },
      { account: userAccount(referrerId), asset: 'credits', amount: grantCredits, type: 'earn_bonus' },
    ],
  };
}
