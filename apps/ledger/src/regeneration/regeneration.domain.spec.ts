import { newId } from '@atelier/kernel';
import { perishableAfter } from '../accounts/account.domain.js';
import { assertBalanced } from '../journal/entry.domain.js';
import {
  isMonth,
  monthOf,
  monthsDue,
  regenerate,
  startOf,
  turnEntries,
  type Month,
  type RegenerationPlan,
} from './regeneration.domain.js';

const plan: RegenerationPlan = {
  credits: { free: 50, basic: 500, standard: 2000, premium: 6000 },
  rolloverCreditsMax: { free: 0, basic: 250, standard: 1000, premium: 3000 },
};
const december: Month[] = ['2026-12'];
const account = (available: number, perishable = 0, held = 0, tier: 'free' | 'basic' = 'basic') => ({
  ...{ tier, available, perishable, held },
});

describe('a month', () => {
  it('begins and ends in UTC', () => {
    expect(monthOf(new Date('2026-11-30T23:59:59.999Z'))).toBe('2026-11');
    expect(monthOf(new Date('2026-12-01T00:00:00.000Z'))).toBe('2026-12');
    expect(startOf('2026-12')).toEqual(new Date('2026-12-01T00:00:00.000Z'));
  });

  it.each(['2026-13', '2026-00', '2026-1', '26-12', '2026-12-01', ''])('is not %j', (text) => {
    expect(isMonth(text)).toBe(false);
  });

  it.each([
    ['the month of the last turn', '2026-12-01T00:00:00Z', []],
    ['a clock that jumped back', '2027-03-01T00:00:00Z', []],
    ['the next month', '2026-11-21T08:00:00Z', ['2026-12']],
    ['three missed months', '2026-09-30T23:59:59Z', ['2026-10', '2026-11', '2026-12']],
    ['more missed months than are made up', '2020-01-01T00:00:00Z', ['2026-10', '2026-11', '2026-12']],
  ])('is due once: %s (R235)', (_, last, due) => {
    expect(monthsDue(new Date(last), '2026-12', 3)).toEqual(due);
  });

  it('is due across a year', () => {
    expect(monthsDue(new Date('2026-11-01T00:00:00Z'), '2027-01', 12)).toEqual(['2026-12', '2027-01']);
  });
});

describe("a month's turn", () => {
  it('grants what the tier has (R234)', () => {
    expect(regenerate(account(0), december, plan)).toEqual([{ month: '2026-12', expired: 0, granted: 500 }]);
    expect(regenerate(account(0, 0, 0, 'free'), december, plan)[0]?.granted).toBe(50);
  });

  it.each([
    ['keeps what is within the rollover', account(200, 200), 0],
    ['lets what is above the rollover expire', account(400, 400), 150],
    ['lets nothing expire that was bought', account(9_000), 0],
    ['lets all but the rollover expire, and no bought credit', account(9_500, 500), 250],
    ['leaves alone what a hold has set aside', account(100, 500, 400), 0],
    ['takes no account below zero', account(300, 500), 50],
    ['takes nothing from an account below zero', account(-80, 500), 0],
  ])('%s (R235)', (_, of, expired) => {
    expect(regenerate(of, december, plan)[0]?.expired).toBe(expired);
  });

  it('comes once for each missed month, in order, and the rollover holds in each', () => {
    const months: Month[] = ['2026-10', '2026-11', '2026-12'];
    expect(regenerate(account(400, 400), months, plan)).toEqual([
      { month: '2026-10', expired: 150, granted: 500 },
      { month: '2026-11', expired: 500, granted: 500 },
      { month: '2026-12', expired: 500, granted: 500 },
    ]);
  });

  it('is an entry for the loss, then one for the grant, each with a cause of the month and the user', () => {
    const userId = newId('usr');
    const entries = turnEntries(userId, { month: '2026-12', expired: 150, granted: 500 });
    entries.forEach(assertBalanced);
    expect(
      entries.map(({ causeId, postings }) => [causeId, ...postings.map(({ amount }) => amount)]),
    ).toEqual([
      [`rollover_expiry:2026-12:${userId}`, 150, -150],
      [`regeneration:2026-12:${userId}`, -500, 500],
    ]);
    expect(turnEntries(userId, { month: '2026-12', expired: 0, granted: 0 })).toEqual([]);
  });
});

describe('regenerated credits', () => {
  type Type = Parameters<typeof perishableAfter>[1]['type'];
  const left = (...lines: [Type, number][]) =>
    lines.reduce((before, [type, amount]) => perishableAfter(before, { type, amount }), 0);
  const regenerated: [Type, number] = ['earn_regeneration', 500];

  it.each<[string, [Type, number][], number]>([
    [
      'are used before those that were bought',
      [['earn_purchase', 1_000], regenerated, ['spend_enhancement', -300]],
      200,
    ],
    ['are all used when more was', [regenerated, ['spend_marketplace', -1_500], ['earn_purchase', 9_000]], 0],
    ['do not come back with a refund', [regenerated, ['spend_marketplace', -300], ['refund', 300]], 200],
    ['are untouched by a payout', [regenerated, ['earn_sale', 900], ['spend_payout', -900]], 500],
    ['are what a turn has left and given', [regenerated, ['rollover_expiry', -250], regenerated], 750],
  ])('%s (R235)', (_, lines, expected) => {
    expect(left(...lines)).toBe(expected);
  });
});
