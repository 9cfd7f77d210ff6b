import { newId } from '@atelier/kernel';
import { ReferralCompleted } from '@atelier/contracts/ledger/referral.events';
import { completeReferral, startReferral, toReferralCode, type Person } from './referral.domain.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const referrer: Person = { userId: newId('usr'), ownCode: 'ADA', ipAddressHash: 'home' };
const referee: Person = { userId: newId('usr'), cameWithCode: 'ADA', ipAddressHash: 'work' };
const start = (from: Person = referrer, to: Person = referee) =>
  startReferral(newId('ref'), 'ADA', from, to, now);

describe('a referral', () => {
  it('begins pending and has granted nothing (R484, R485)', () => {
    expect(start()).toMatchObject({ status: 'pending', creditsGranted: 0, ipAddressHash: 'work' });
  });

  it('from one address is invalid from the start; an unknown address is not an equal one (R486)', () => {
    const home = { ...referee, ipAddressHash: 'home' };
    expect(start(referrer, home)).toMatchObject({ status: 'invalid', invalidReason: 'same_address' });
    const { ipAddressHash: _, ...unknown } = referee;
    const { ipAddressHash: __, ...alsoUnknown } = referrer;
    expect(start(alsoUnknown, unknown).status).toBe('pending');
  });

  it('of oneself is invalid', () => {
    expect(start(referrer, referrer)).toMatchObject({ status: 'invalid', invalidReason: 'self_referral' });
  });

  it('is completed once, with what was granted and when (R484, R485)', () => {
    const grant = { credits: 100, entryId: newId('jrn') };
    const change = completeReferral(start(), grant, now)!;
    expect(change.state).toMatchObject({ status: 'completed', creditsGranted: 100, completedAt: now });
    expect(change.events.map(({ definition }) => definition.type)).toEqual([ReferralCompleted.type]);
    expect(completeReferral(change.state, grant, now)).toBeUndefined();
  });

  it('that is invalid is never completed (R484)', () => {
    expect(completeReferral(start(referrer, referrer), { credits: 100 }, now)).toBeUndefined();
  });

  it('has a code that is the same however it is typed', () => {
    expect(toReferralCode(' ada ')).toBe('ADA');
  });
});
