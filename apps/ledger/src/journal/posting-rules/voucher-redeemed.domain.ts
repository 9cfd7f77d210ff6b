import { userAccount, type EntryDraft } from '../entry.domain.js';
import type { Redemption } from '../../vouchers/redemption.domain.js';

/** What a voucher gives: promotions → user, once per redemption. Null for one that gives no credits (yet). */
export function voucherRedeemed({ id, userId, creditsGranted }: Redemption): EntryDraft | null {
  if (creditsGranted === 0) return null;
  return {
    causeId: `voucher_redeemed:${id}`,
    sourceId: id,
    postings: [
      { account: 'platform:promotions', asset: 'credits', amount: -creditsGranted },
      { account: userAccount(userId), asset: 'credits', amount: creditsGranted, type: 'earn_bonus' },
    ],
  };
}
