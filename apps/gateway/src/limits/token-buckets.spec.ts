import fc from 'fast-check';
import { TokenBuckets } from './token-buckets.js';

const SECOND_MS = 1_000;

describe('a token bucket', () => {
  const bucket = (burst: number, perMinute: number, callersMax = 10) =>
    new TokenBuckets('api', { burst, perMinute, callersMax });

  it('gives the burst at once, then waits for what comes back', () => {
    const buckets = bucket(2, 60);
    const take = (nowMs: number) => buckets.take('a', nowMs);
    expect([take(0), take(0), take(0)].map(({ isAllowed }) => isAllowed)).toEqual([true, true, false]);
    expect(take(0).retryAfterSeconds).toBe(1);
    expect(take(SECOND_MS).isAllowed).toBe(true);
    expect(take(SECOND_MS).isAllowed).toBe(false);
  });

  it('says the policy, what is left and when it is whole again', () => {
    const buckets = bucket(10, 60);
    expect(buckets.policy).toBe('"api";q=10;w=10');
    expect(buckets.take('a', 0).field).toBe('"api";r=9;t=1');
    expect(buckets.take('a', 0).field).toBe('"api";r=8;t=2');
  });

  it('keeps callers apart, and forgets the least recent one when there are too many', () => {
    const buckets = bucket(1, 1, 2);
    expect(buckets.take('a', 0).isAllowed).toBe(true);
    expect(buckets.take('b', 0).isAllowed).toBe(true);
    expect(buckets.take('a', 0).isAllowed).toBe(false);
    buckets.take('c', 0);
    expect(buckets.take('a', 0).isAllowed).toBe(false);
    expect(buckets.take('b', 0).isAllowed).toBe(true);
  });

  it('never gives more than burst and rate together allow, however it is asked', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 600 }),
        gaps,
        (burst, perMinute, waits) => {
          const buckets = bucket(burst, perMinute);
          let nowMs = 0;
          let allowed = 0;
          for (const wait of waits) {
            nowMs += wait;
            if (buckets.take('a', nowMs).isAllowed) allowed += 1;
          }
          expect(allowed).toBeLessThanOrEqual(burst + (nowMs * perMinute) / 60_000 + 1e-6);
        },
      ),
    );
  });

  it('tells the wait without taking anything', () => {
    const buckets = bucket(1, 60);
    expect([buckets.waitSeconds('a', 0), buckets.waitSeconds('a', 0)]).toEqual([0, 0]);
    buckets.take('a', 0);
    expect(buckets.waitSeconds('a', 0)).toBe(1);
  });
});
