import { newId } from '@atelier/kernel';
import { userAccount, type EntryDraft } from '../journal/entry.domain.js';
import {
  extendHold,
  heldBy,
  openHold,
  settleHold,
  type Hold,
  type HoldStatus,
  type Settlement,
} from './hold.domain.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const after = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const request = {
  holdId: newId('hld'),
  userId: newId('usr'),
  amount: 100,
  type: 'spend_marketplace',
  sourceId: newId('pur'),
} as const;
const ttl = { ttlSeconds: 900, ttlSecondsMax: 3600 };
const hold = openHold(request, ttl, now);
const { id: holdId } = hold;
const takes = (amount: number): EntryDraft => ({
  causeId: 'test:1',
  sourceId: hold.sourceId,
  postings: [
    { account: userAccount(hold.userId), asset: 'credits', amount: -amount, type: 'spend_marketplace' },
    { account: 'platform:revenue', asset: 'credits', amount },
  ],
});
const capture = (amount = 100): Settlement => ({ holdId, end: 'capture', entry: takes(amount) });
const release: Settlement = { holdId, end: 'release', reason: 'failed' };
const expire: Settlement = { holdId, end: 'expire' };
const ended = (status: HoldStatus): Hold => ({ ...hold, status });

describe('a hold', () => {
  it('stands for as long as was asked for, and at most for the limit', () => {
    expect(hold).toMatchObject({ status: 'held', expiresAt: after(900) });
    expect(openHold({ ...request, ttlSeconds: 60 }, ttl, now).expiresAt).toEqual(after(60));
    expect(openHold({ ...request, ttlSeconds: 86_400 }, ttl, now).expiresAt).toEqual(after(3600));
  });

  it.each([1, 60, 100])('of 100 can be captured for %i', (amount) => {
    expect(settleHold(hold, capture(amount), now)).toMatchObject({
      status: 'captured',
      capturedAmount: amount,
      endedAt: now,
    });
  });

  it('cannot be captured for more than it holds, or by an entry that does not charge its user', () => {
    expect(() => settleHold(hold, capture(101), now)).toThrow('takes 101 credits');
    const other: Settlement = { holdId, end: 'capture', entry: { ...takes(100), postings: [] } };
    expect(() => settleHold(hold, other, now)).toThrow('takes 0 credits');
  });

  it('can be released', () => {
    expect(settleHold(hold, release, now)).toMatchObject({ status: 'released', capturedAmount: 0 });
  });

  it('expires when its time is over, not before', () => {
    expect(settleHold(hold, expire, after(899))).toBe(hold);
    expect(settleHold(hold, expire, after(900))).toMatchObject({ status: 'expired' });
  });

  it.each([
    ['captured', capture()],
    ['captured', release],
    ['captured', expire],
    ['released', release],
    ['released', expire],
    ['expired', release],
    ['expired', expire],
  ] as const)('that is %s stays as it is', (status, settlement) => {
    const before = ended(status);
    expect(settleHold(before, settlement, after(9999))).toBe(before);
  });

  it('is captured late after it has expired, and no longer counts as set aside', () => {
    const expired = settleHold(hold, expire, after(900));
    expect(settleHold(expired, capture(), after(9999))).toMatchObject({
      status: 'captured',
      endedAt: after(9999),
      expiredAt: after(900),
    });
    expect(heldBy(ended('expired'))).toBe(0);
    expect(heldBy(hold)).toBe(100);
  });

  it('refuses a capture after its owner has released it', () => {
    expect(() => settleHold(ended('released'), capture(), now)).toThrow('was released');
  });

  it('can only be extended to a later time, and no further than any hold may stand', () => {
    expect(extendHold(hold, after(1800), ttl)).toMatchObject({ expiresAt: after(1800), version: 2 });
    expect(extendHold(hold, after(900), ttl)).toBe(hold);
    expect(extendHold(hold, after(60), ttl)).toBe(hold);
    expect(extendHold(hold, after(9_999), ttl).expiresAt).toEqual(after(3600));
  });

  it.each(['captured', 'released', 'expired'] as const)('that is %s cannot be extended', (status) => {
    expect(() => extendHold(ended(status), after(1800), ttl)).toThrow(`is ${status}`);
  });
});
