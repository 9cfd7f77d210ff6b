import { newId } from '@atelier/kernel';
import { createVoucherRequest, redeemVoucherRequest } from '@atelier/contracts/ledger/vouchers.api';
import { VoucherCreated, VoucherRedeemed, VoucherUpdated } from '@atelier/contracts/ledger/voucher.events';
import { grantBonus, redeem } from './redemption.domain.js';
import { createVoucher, statusAt, switchVoucher, unusable, type Voucher } from './voucher.domain.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const later = new Date('2026-11-22T08:00:00.000Z');
const admin = newId('usr');
const terms = { code: 'SPRING-50', type: 'fixed_credits', value: 50 } as const;
const made = (more: object = {}): Voucher => ({
  ...createVoucher({ id: newId('vch'), ...terms, ...more }, admin, now).state,
  version: 1,
});
const told = ({ events }: { events: readonly { definition: { type: string } }[] }) =>
  events.map(({ definition }) => definition.type);

describe('a voucher', () => {
  it('begins active, unused and, unless told otherwise, without a cap or an end (R472, R474)', () => {
    const change = createVoucher({ id: newId('vch'), ...terms }, admin, now);
    expect(change.state).toMatchObject({ status: 'active', currentUses: 0, maxUses: null, expiresAt: null });
    expect(told(change)).toEqual([VoucherCreated.type]);
    expect(change.events[0]!.data).toMatchObject({ code: 'SPRING-50', actorId: admin });
  });

  it('cannot be made with an end in the past', () => {
    expect(() => made({ expiresAt: now.toISOString() })).toThrow('expired before it began');
  });

  it('is turned off and on by admins, and says so each time something changed (R472)', () => {
    const off = switchVoucher(made(), 'inactive', admin, later)!;
    expect([off.state.status, told(off)]).toEqual(['inactive', [VoucherUpdated.type]]);
    expect(switchVoucher(off.state, 'inactive', admin, later)).toBeUndefined();
    expect(switchVoucher(off.state, 'active', admin, later)!.state.status).toBe('active');
  });

  it('is expired from the second its time is over, written down or not (R472)', () => {
    const voucher = made({ expiresAt: later.toISOString() });
    expect(statusAt(voucher, now)).toBe('active');
    expect(statusAt(voucher, later)).toBe('expired');
  });

  it('never comes back from expired or depleted (R472)', () => {
    const expired = made({ expiresAt: later.toISOString() });
    expect(() => switchVoucher(expired, 'inactive', admin, later)).toThrow('has expired');
    expect(() => switchVoucher({ ...expired, status: 'inactive' }, 'active', admin, later)).toThrow(
      'has expired',
    );
    expect(() => switchVoucher({ ...made(), status: 'depleted' }, 'active', admin, now)).toThrow('used up');
  });

  it.each(['inactive', 'expired', 'depleted'] as const)(
    'that is %s says so by a code of its own',
    (status) => {
      expect(unusable({ code: 'X', status }).code).toBe(`ledger.voucher.${status}`);
    },
  );

  it('has a code that is the same however it is typed (R473)', () => {
    expect(redeemVoucherRequest.parse({ code: '  spring-50 ' })).toEqual({ code: 'SPRING-50' });
    expect(createVoucherRequest.parse({ ...terms, code: 'spring-50' }).code).toBe('SPRING-50');
  });

  it.each([
    ['fixed_credits', 1_000_001],
    ['percentage_bonus', 501],
    ['subscription_trial', 367],
  ])('of type %s cannot give %i (R471)', (type, value) => {
    expect(createVoucherRequest.safeParse({ ...terms, type, value }).success).toBe(false);
    expect(createVoucherRequest.safeParse({ ...terms, type, value: value - 1 }).success).toBe(true);
  });
});

describe('a redemption', () => {
  const by = { id: newId('vrd'), userId: newId('usr') };

  it('of fixed credits stores what was granted, at once (R471, R479)', () => {
    const change = redeem(made(), by, now);
    expect(change.state).toMatchObject({ status: 'granted', creditsGranted: 50, grantedAt: now });
    expect(told(change)).toEqual([VoucherRedeemed.type]);
  });

  it('of a trial grants no credits and tells its days (R471)', () => {
    const change = redeem(made({ type: 'subscription_trial', value: 14 }), by, now);
    expect(change.state).toMatchObject({ status: 'granted', creditsGranted: 0 });
    expect(change.events[0]!.data).toMatchObject({
      type: 'subscription_trial',
      value: 14,
      userId: by.userId,
    });
  });

  it.each([
    [500, 20, 100],
    [333, 10, 33],
    [1, 150, 1],
  ])('of a percentage waits; %i credits at %i %% give %i, once (R471, R479)', (credits, value, bonus) => {
    const { state } = redeem(made({ type: 'percentage_bonus', value }), by, now);
    expect(state).toMatchObject({ status: 'pending', creditsGranted: 0 });
    const paymentId = newId('pay');
    const granted = grantBonus(state, { paymentId, credits }, later)!.state;
    expect(granted).toMatchObject({ status: 'granted', creditsGranted: bonus, paymentId, grantedAt: later });
    expect(grantBonus(granted, { paymentId: newId('pay'), credits }, later)).toBeUndefined();
  });

  it('of a percentage goes on waiting when it would make no whole credit', () => {
    const { state } = redeem(made({ type: 'percentage_bonus', value: 10 }), by, now);
    expect(grantBonus(state, { paymentId: newId('pay'), credits: 9 }, later)).toBeUndefined();
  });
});
