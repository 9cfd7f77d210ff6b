import type { Logger } from '@atelier/observability';
import { BegunMonth, type DatabaseTime } from './begun-month.js';

describe('the month that has begun', () => {
  it.each([
    ['2026-12-05T00:00:00Z', '2026-12-09T00:00:00Z', '2026-12', []],
    // A month's turn, by clocks as they are.
    ['2026-12-01T00:00:01Z', '2026-11-30T23:59:59Z', '2026-11', []],
    ['2026-11-30T23:59:59Z', '2026-12-01T00:00:01Z', '2026-11', []],
    ['2036-12-01T00:00:00Z', '2026-11-28T00:00:00Z', '2026-11', ["this replica's clock is ahead"]],
    ['2026-11-28T00:00:00Z', '2036-12-01T00:00:00Z', '2026-11', ["the database's is ahead"]],
  ])('at %s here and %s in the database is %s, and says %j', async (own, database, month, says) => {
    const said: string[] = [];
    const log = { error: (_: object, text: string) => said.push(text) } as unknown as Logger;
    const databaseTime = { now: () => Promise.resolve(new Date(database)) } as DatabaseTime;
    expect(await new BegunMonth({ now: () => new Date(own) }, databaseTime, log).newest()).toBe(month);
    expect(said).toEqual(says.map((text) => expect.stringContaining(text) as string));
  });
});
