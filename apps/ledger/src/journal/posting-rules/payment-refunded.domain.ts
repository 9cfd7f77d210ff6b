import type { PaymentRefunded } from '@atelier/contracts/commerce/payment.events';
import { userPostings, type Entry, type EntryDraft } from '../entry.domain.js';
import type { Redemption } from '../../vouchers/redemption.domain.js';

/**
 * The money of a package is back with its payer, all of it: what the package brought goes to refunds, as it was
 * posted. Who has spent it goes below zero, and pays it off with the next credits.
 */
export const paymentRefunded = (
  { paymentId }: Pick<typeof PaymentRefunded.example, 'paymentId'>,
  payment: Entry,
): EntryDraft => takenBack(payment, `payment_refunded:${paymentId}`);

/** The bonus on such a package goes the same way: it was a part of that purchase. */
export const bonusRefunded = ({ id }: Pick<Redemption, 'id'>, bonus: Entry): EntryDraft =>
  takenBack(bonus, `bonus_refunded:${id}`);

function takenBack(granted: Entry, causeId: string): EntryDraft {
  const { id: reverses, sourceId } = granted;
  const postings = userPostings(granted).map((posting) => ({
    ...posting,
    amount: -posting.amount,
    type: 'payment_refund' as const,
  }));
  const credits = postings.reduce((sum, { amount }) => sum - amount, 0);
  return {
    ...{ causeId, sourceId, reverses },
    postings: [...postings, { account: 'platform:refunds', asset: 'credits', amount: credits }],
  };
}
