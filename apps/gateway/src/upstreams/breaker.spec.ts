import { Breaker } from './breaker.js';

describe('a breaker', () => {
  const OPEN_MS = 1_000;
  const failing = (times: number, breaker: Breaker) => {
    for (let i = 0; i < times; i++) breaker.failed(0);
  };

  it('opens after failures in a row, and not after as many with a success between', () => {
    const breaker = new Breaker(3, OPEN_MS);
    failing(2, breaker);
    breaker.succeeded();
    failing(2, breaker);
    expect(breaker.admit(0)).toBe(true);
    breaker.failed(0);
    expect(breaker.admit(0)).toBe(false);
    expect(breaker.retryAfterSeconds(0)).toBe(1);
  });

  it('lets one request try when its time is over, and closes when that one succeeds', () => {
    const changes: boolean[] = [];
    const breaker = new Breaker(1, OPEN_MS, (isOpen) => changes.push(isOpen));
    failing(1, breaker);
    expect([breaker.admit(OPEN_MS), breaker.admit(OPEN_MS)]).toEqual([true, false]);
    breaker.succeeded();
    expect([breaker.admit(OPEN_MS), breaker.admit(OPEN_MS)]).toEqual([true, true]);
    expect(changes).toEqual([true, false]);
  });

  it('lets another one try when the first takes as long as it was open', () => {
    const breaker = new Breaker(1, OPEN_MS);
    failing(1, breaker);
    expect(breaker.admit(OPEN_MS)).toBe(true);
    expect(breaker.retryAfterSeconds(OPEN_MS)).toBe(OPEN_MS / 1_000);
    expect([breaker.admit(2 * OPEN_MS - 1), breaker.admit(2 * OPEN_MS)]).toEqual([false, true]);
  });

  it('opens again when the trial fails, and tries again when the trial tells nothing', () => {
    const breaker = new Breaker(1, OPEN_MS);
    failing(1, breaker);
    expect(breaker.admit(OPEN_MS)).toBe(true);
    breaker.failed(OPEN_MS);
    expect(breaker.admit(OPEN_MS)).toBe(false);
    expect(breaker.admit(2 * OPEN_MS)).toBe(true);
    breaker.abandoned();
    expect(breaker.admit(2 * OPEN_MS)).toBe(true);
  });
});
