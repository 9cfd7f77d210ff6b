import { SessionEnded } from '@atelier/contracts/identity/session.events';
import { newId } from '@atelier/kernel';
import { deviceOf } from './device.domain.js';
import {
  endSession,
  isActive,
  judgeRefresh,
  rotateSession,
  startSession,
  type Session,
} from './session.domain.js';

const MINUTE_MS = 60_000;
const GRACE_MS = 10_000;
const limits = { idleMsMax: 30 * MINUTE_MS, ageMsMax: 45 * MINUTE_MS };
const begin = new Date('2026-11-21T08:00:00.000Z');
const later = (ms: number) => new Date(begin.getTime() + ms);

const started = (): Session => ({
  ...startSession(
    { id: newId('ses'), userId: newId('usr'), familyHash: 'family', tokenHash: 'first' },
    limits,
    begin,
  ).state,
  version: 1,
});

describe('a session', () => {
  it('is active from its start until it has been idle for too long (SM25, R157)', () => {
    const session = started();
    expect(isActive(session, later(limits.idleMsMax - 1))).toBe(true);
    expect(isActive(session, later(limits.idleMsMax))).toBe(false);
  });

  it('is prolonged by a refresh, but never beyond its greatest age', () => {
    const once = rotateSession(started(), 'second', limits, later(10 * MINUTE_MS)).state;
    expect(once.expiresAt).toEqual(later(40 * MINUTE_MS));
    const twice = rotateSession(once, 'third', limits, later(30 * MINUTE_MS)).state;
    expect(twice.expiresAt).toEqual(later(45 * MINUTE_MS));
  });

  it('exchanges only its newest token', () => {
    const session = rotateSession(started(), 'second', limits, later(MINUTE_MS)).state;
    expect(judgeRefresh(session, 'second', GRACE_MS, later(MINUTE_MS))).toBe('rotate');
  });

  it('repeats its answer to the token before that came before the exchange was done, or within the grace', () => {
    const session = rotateSession(started(), 'second', limits, later(MINUTE_MS)).state;
    expect(judgeRefresh(session, 'first', 0, later(MINUTE_MS - 1))).toBe('repeat');
    expect(judgeRefresh(session, 'first', 0, later(MINUTE_MS + 1))).toBe('reuse');
    expect(judgeRefresh(session, 'first', GRACE_MS, later(MINUTE_MS + GRACE_MS))).toBe('repeat');
    expect(judgeRefresh(session, 'first', GRACE_MS, later(MINUTE_MS + GRACE_MS + 1))).toBe('reuse');
  });

  it('calls every older token of the family reuse, within the grace too', () => {
    const second = rotateSession(started(), 'second', limits, later(1)).state;
    const third = rotateSession(second, 'third', limits, later(2)).state;
    expect(judgeRefresh(third, 'first', GRACE_MS, later(3))).toBe('reuse');
    expect(judgeRefresh(third, 'never issued', GRACE_MS, later(3))).toBe('reuse');
  });

  it('says why it ended, and is over', () => {
    const session = started();
    const { state, events } = endSession(session, 'reuse_detected', later(5));
    expect(isActive(state, later(6))).toBe(false);
    expect(events).toHaveLength(1);
    expect(events[0]!.definition.type).toBe(SessionEnded.type);
    expect(events[0]!.data).toEqual({
      sessionId: session.id,
      userId: session.userId,
      reason: 'reuse_detected',
      endedAt: later(5).toISOString(),
    });
  });
});

describe('the device of a session (R157)', () => {
  it.each([
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0',
      'desktop',
      'Edge',
      'Windows',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1',
      'mobile',
      'Safari',
      'iOS',
    ],
    [
      'Mozilla/5.0 (Linux; Android 14; SM-X200) AppleWebKit/537.36 Chrome/130.0 Safari/537.36',
      'tablet',
      'Chrome',
      'Android',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0', 'desktop', 'Firefox', 'Linux'],
  ])('reads %s', (userAgent, deviceType, browser, os) => {
    expect(deviceOf(userAgent)).toEqual({ deviceType, browser, os });
  });

  it('takes a program without a name for a desktop', () => {
    expect(deviceOf(undefined)).toEqual({ deviceType: 'desktop' });
  });
});
