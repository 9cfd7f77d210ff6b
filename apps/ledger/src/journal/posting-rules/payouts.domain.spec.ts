import { newId } from '@atelier/kernel';
import { PayoutPaid, PayoutRequested } from '@atelier/contracts/ledger/payout.events';
import { assertBalanced, CHAIN_START, sealEntry, type EntryDraft } from '../entry.domain.js';
import { payoutPaid, payoutReturned } from './payout-ended.domain.js';
import { payoutRequested } from './payout-requested.domain.js';

function told(draft: EntryDraft): string[] {
  assertBalanced(draft);
  return draft.postings.map(({ account, asset, amount, ...rest }) =>
    [account, amount, asset, 'type' in rest ? rest.type : ''].join(' ').trim(),
  );
}
const payout = PayoutRequested.example;
const [user, earnings] = [`user:${payout.userId}`, `earnings:${payout.userId}:USD`];
const request = sealEntry(payoutRequested(payout), {
  id: newId('jrn'),
  links: [{ account: `user:${payout.userId}`, sequence: 1, previousHash: CHAIN_START }],
  correlationId: 'req_1',
  createdAt: new Date(0),
});

describe('a payout', () => {
  it('turns credits into money that is owed', () => {
    expect(told(payoutRequested(payout))).toEqual([
      `${user} -1000 credits spend_payout`,
      'platform:payouts 1000 credits',
      'platform:payouts -3000 USD',
      `${earnings} 3000 USD`,
    ]);
  });

  it('that is paid leaves through the clearing account', () => {
    expect(told(payoutPaid(PayoutPaid.example))).toEqual([
      `${earnings} -3000 USD`,
      'platform:clearing 3000 USD',
    ]);
  });

  it('that comes back undoes every part of it', () => {
    const returned = payoutReturned(payout, request);
    expect(told(returned)).toEqual([
      `${user} 1000 credits payout_return`,
      'platform:payouts -1000 credits',
      'platform:payouts 3000 USD',
      `${earnings} -3000 USD`,
    ]);
    expect(returned.reverses).toBe(request.id);
  });

  it('has one cause for both of its ends, so it has one end', () => {
    expect(payoutReturned(payout, request).causeId).toBe(payoutPaid(PayoutPaid.example).causeId);
    expect(payoutRequested(payout).causeId).not.toBe(payoutPaid(PayoutPaid.example).causeId);
  });
});
