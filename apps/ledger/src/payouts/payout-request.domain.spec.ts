import { DomainError, newId } from '@atelier/kernel';
import type { PayoutMethod } from '../payout-methods/payout-method.domain.js';
import {
  approvePayout,
  beginPaying,
  cancelPayout,
  isDecidedSince,
  OPEN_STATUSES,
  PAYOUT_TRANSITIONS,
  payoutFailed,
  payoutPaid,
  payoutSent,
  rejectPayout,
  requestPayout,
  unanswered,
  type PayoutRequest,
  type PayoutStatus,
} from './payout-request.domain.js';

const now = new Date('2026-11-21T08:00:00Z');
const [seller, admin] = [newId('usr'), newId('usr')];
const method = {
  ...{ id: newId('pym'), userId: seller, provider: 'sandbox', providerAccountId: 'sbx_1' },
} as PayoutMethod;
const requested = requestPayout(
  { id: newId('pyo'), method, credits: 100, amount: { amount: 300, currency: 'USD' } },
  now,
);
const inStatus = (status: PayoutStatus): PayoutRequest => ({ ...requested.state, status });

const MOVES = {
  approved: (payout: PayoutRequest) => approvePayout(payout, admin, now),
  rejected: (payout: PayoutRequest) => rejectPayout(payout, admin, 'No.', now),
  canceled: (payout: PayoutRequest) => cancelPayout(payout, now),
  paying: (payout: PayoutRequest) => beginPaying(payout, now),
  paid: (payout: PayoutRequest) => payoutPaid(payout, now),
  failed: (payout: PayoutRequest) => payoutFailed(payout, 'account_closed', now),
} as const;
const STATUSES = Object.keys(PAYOUT_TRANSITIONS) as PayoutStatus[];

describe('a payout', () => {
  it.each(STATUSES)('moves from %s only where it may', (from) => {
    for (const [to, move] of Object.entries(MOVES)) {
      const allowed = PAYOUT_TRANSITIONS[from].includes(to as PayoutStatus);
      if (allowed) expect(move(inStatus(from)).state.status).toBe(to);
      else expect(() => move(inStatus(from))).toThrow(DomainError);
    }
  });

  it('ends in a state that nothing leads out of, and states it once', () => {
    for (const status of STATUSES) {
      const isOpen = (OPEN_STATUSES as readonly string[]).includes(status);
      expect(PAYOUT_TRANSITIONS[status].length > 0).toBe(isOpen);
    }
    expect(payoutPaid(inStatus('paying'), now).events.map(({ definition }) => definition.type)).toEqual([
      'ledger.payout.paid.v1',
    ]);
  });

  it('tells its money as a string of minor units', () => {
    expect(requested.events[0]!.data).toMatchObject({
      credits: 100,
      amount: { amount: '300', currency: 'USD' },
    });
  });

  it.each(['approved', 'rejected'] as const)('is not %s by its seller', (to) => {
    const decide =
      to === 'approved'
        ? approvePayout
        : (p: PayoutRequest, by: string, at: Date) => rejectPayout(p, by, 'x', at);
    expect(() => decide(requested.state, seller, now)).toThrow(
      expect.objectContaining({ code: 'ledger.payout.own' }),
    );
  });

  it('is due from its approval until its end', () => {
    const approved = approvePayout(requested.state, admin, now).state;
    const paying = payoutSent(beginPaying(approved, now).state, 'ref', now, now).state;
    expect([requested.state, approved, paying].map(({ nextAttemptAt }) => nextAttemptAt)).toEqual([
      undefined,
      now,
      now,
    ]);
    expect(payoutPaid(paying, now).state).not.toHaveProperty('nextAttemptAt');
    expect(payoutFailed(paying, 'x', now).state).not.toHaveProperty('nextAttemptAt');
  });

  it.each(['approve', 'reject', 'cancel'] as const)(
    'is known to be decided already by the request to %s it that comes again, and by no other (promise 9)',
    (decision) => {
      const by = decision === 'cancel' ? seller : admin;
      const move = { approve: MOVES.approved, reject: MOVES.rejected, cancel: MOVES.canceled }[decision];
      const { state } = move(requested.state);
      expect(isDecidedSince(state, decision, by, now)).toBe(true);
      expect(isDecidedSince(state, decision, newId('usr'), now)).toBe(false);
      expect(isDecidedSince(state, decision, by, new Date(now.getTime() + 1))).toBe(false);
      expect(isDecidedSince(requested.state, decision, by, now)).toBe(false);
      const others = (['approve', 'reject', 'cancel'] as const).filter((other) => other !== decision);
      for (const other of others) expect(isDecidedSince(state, other, by, now)).toBe(false);
    },
  );

  it('is known to be approved also when it is paid already', () => {
    const approved = approvePayout(requested.state, admin, now).state;
    expect(isDecidedSince({ ...approved, status: 'paid', endedAt: now }, 'approve', admin, now)).toBe(true);
  });

  it('stays as it is when its provider does not answer', () => {
    const paying = inStatus('paying');
    expect(unanswered(paying, now, now)).toEqual({
      state: { ...paying, tries: 1, nextAttemptAt: now },
      events: [],
    });
  });
});
