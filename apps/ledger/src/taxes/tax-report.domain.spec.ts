import { newId, type Id } from '@atelier/kernel';
import { PayoutPaid, PayoutRequested } from '@atelier/contracts/ledger/payout.events';
import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import {
  earningsAccount,
  sealEntry,
  userAccount,
  type Entry,
  type EntryDraft,
} from '../journal/entry.domain.js';
import { payoutPaid, payoutReturned } from '../journal/posting-rules/payout-ended.domain.js';
import { payoutRequested } from '../journal/posting-rules/payout-requested.domain.js';
import { purchaseCompleted } from '../journal/posting-rules/purchase-completed.domain.js';
import { purchaseRefunded } from '../journal/posting-rules/purchase-refunded.domain.js';
import { closedYears, isClosed, TaxSums } from './tax-report.domain.js';

const { sellerId, buyerId } = PurchaseCompleted.example;
const entry = (draft: EntryDraft): Entry =>
  sealEntry(draft, { id: newId('jrn'), links: [], correlationId: 'req_1', createdAt: new Date(0) });
const sale = entry(purchaseCompleted(PurchaseCompleted.example));
const refund = entry(purchaseRefunded(PurchaseRefunded.example, sale));
const payout = { ...PayoutRequested.example, userId: sellerId };
const requested = entry(payoutRequested(payout));
const paid = entry(payoutPaid({ ...PayoutPaid.example, userId: sellerId }));
const returned = entry(payoutReturned(payout, requested));

const linesOf = (userId: Id<'usr'>, entries: Entry[]) => {
  const sums = new TaxSums();
  for (const account of [userAccount(userId), earningsAccount(userId, 'USD')])
    for (const one of entries) sums.add(account, one);
  return sums.lines();
};
const lines = (...entries: Entry[]) => linesOf(sellerId, entries);
const line = (asset: string, gross: number, fees: number, refunds: number, payouts: number) => ({
  ...{ asset, gross, fees, refunds, payouts, net: gross - fees - refunds },
});

describe('a tax report', () => {
  it('counts what buyers paid, what the platform kept, and what is left', () => {
    expect(lines(sale, sale)).toEqual([line('credits', 200, 40, 0, 0)]);
  });

  it('counts a refund at the price, with the fee that came back', () => {
    expect(lines(sale, refund)).toEqual([line('credits', 100, 0, 100, 0)]);
    expect(lines(refund)).toEqual([line('credits', 0, -20, 100, 0)]);
    expect(lines(refund)[0]!.net).toBe(-80);
  });

  it('has a line per currency that was paid out', () => {
    expect(lines(sale, requested, paid)).toEqual([
      line('credits', 100, 20, 0, 1000),
      line('USD', 3000, 0, 0, 3000),
    ]);
  });

  it('counts a payout that came back as none', () => {
    expect(lines(requested, returned)).toEqual([line('USD', 3000, 0, 3000, 0)]);
  });

  it('goes on from what was counted before', () => {
    const sums = new TaxSums(lines(sale, requested));
    for (const account of [userAccount(sellerId), earningsAccount(sellerId, 'USD')])
      for (const one of [refund, paid]) sums.add(account, one);
    expect(sums.lines()).toEqual(lines(sale, requested, refund, paid));
  });

  it('leaves out what a person bought, and what others made', () => {
    expect(linesOf(buyerId, [sale, requested, paid])).toEqual([]);
  });

  it('does not depend on the order of entries', () => {
    const all = [sale, refund, requested, paid, sale];
    expect(lines(...all.toReversed())).toEqual(lines(...all));
  });

  it('is closed a day after the year, in UTC', () => {
    expect(isClosed(2026, new Date('2027-01-01T23:59:59.999Z'))).toBe(false);
    expect(isClosed(2026, new Date('2027-01-02T00:00:00.000Z'))).toBe(true);
    expect(closedYears(new Date('2024-12-31T23:59:59Z'), new Date('2027-06-01T00:00:00Z'))).toEqual([
      2026, 2025, 2024,
    ]);
    expect(closedYears(new Date('2026-03-01T00:00:00Z'), new Date('2026-11-21T00:00:00Z'))).toEqual([]);
  });
});
