import { userAccount, type EntryDraft } from '../entry.domain.js';
import type { Adjustment } from '../../adjustments/adjustment.domain.js';

/** A change by hand, either way between the user and the account that all of them are seen on. */
export function adjustmentApproved({ id, userId, amount }: Adjustment): EntryDraft {
  const type = amount > 0 ? 'earn_admin_adjustment' : 'spend_admin_adjustment';
  return {
    causeId: `adjustment_approved:${id}`,
    sourceId: id,
    postings: [
      { account: 'platform:adjustments', asset: 'credits', amount: -amount },
      { account: userAccount(userId), asset: 'credits', amount, type },
    ],
  };
}
