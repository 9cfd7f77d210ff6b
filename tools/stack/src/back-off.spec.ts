import { backOffMs, restartsMax } from './back-off.js';

describe('the pause before a restart', () => {
  it('doubles with each failure in a row', () => {
    expect([0, 1, 2, 3].map(backOffMs)).toEqual([500, 1_000, 2_000, 4_000]);
  });

  it('never exceeds its bound, however often it is asked', () => {
    expect(backOffMs(restartsMax)).toBe(15_000);
    expect(backOffMs(10_000)).toBe(15_000);
  });
});
