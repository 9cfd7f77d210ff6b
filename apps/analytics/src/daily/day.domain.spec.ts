import { newId } from '@atelier/kernel';
import { dayOf, daysOf, shardOf, SHARDS, sumOf } from './day.domain.js';

it.each([
  ['2026-11-21T23:59:59.999Z', '2026-11-21'],
  ['2026-11-22T00:30:00.000+01:00', '2026-11-21'],
  ['2026-11-21T23:30:00.000-05:00', '2026-11-22'],
])('%s belongs to the UTC day %s', (time, day) => {
  expect(dayOf(time)).toBe(day);
});

it('a range has both its ends and every day between, over leap days and years', () => {
  expect(daysOf({ from: '2026-11-21', to: '2026-11-21' })).toEqual(['2026-11-21']);
  expect(daysOf({ from: '2028-02-28', to: '2028-03-01' })).toEqual([
    '2028-02-28',
    '2028-02-29',
    '2028-03-01',
  ]);
  expect(daysOf({ from: '2026-12-31', to: '2027-01-01' })).toEqual(['2026-12-31', '2027-01-01']);
  expect(daysOf({ from: '2028-01-01', to: '2028-12-31' })).toHaveLength(366);
});

it('subjects are spread over all shards, each always to the same one', () => {
  const subjects = Array.from({ length: 2_000 }, () => newId('pur'));
  const shards = subjects.map(shardOf);
  expect(subjects.map(shardOf)).toEqual(shards);
  const sizes = Array.from({ length: SHARDS }, (_, shard) => shards.filter((one) => one === shard).length);
  expect(Math.min(...sizes)).toBeGreaterThan(40);
});

it('the sum of nothing is zero of everything', () => {
  expect(sumOf(['count', 'credits'], [])).toEqual({ count: 0, credits: 0 });
  expect(sumOf(['count'], [{ count: 2 }, { count: 3 }])).toEqual({ count: 5 });
});
