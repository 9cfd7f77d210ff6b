import type { DayRange } from '@atelier/contracts/analytics/daily.api';

const DAY_MS = 86_400_000;

/** One counter's day is spread over this many rows, so that facts of the same day can be counted side by side. */
export const SHARDS = 16;

/** The UTC day of an RFC 3339 time: `2026-11-21`. */
export const dayOf = (time: string): string => new Date(time).toISOString().slice(0, 10);

/** Every day of the range, first to last. */
export function daysOf({ from, to }: DayRange): string[] {
  const days: string[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += DAY_MS) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return days;
}

/** The same subject always counts in the same row: a rebuild gives the same rows, not only the same sums. */
export function shardOf(subject: string): number {
  let hash = 0;
  for (let i = 0; i < subject.length; i++) hash = (Math.imul(hash, 31) + subject.charCodeAt(i)) >>> 0;
  return hash % SHARDS;
}

/** The sums of the given counters over all rows; counters that are nowhere are 0. */
export function sumOf<Counter extends string>(
  counters: readonly Counter[],
  rows: readonly Readonly<Record<Counter, number>>[],
): Record<Counter, number> {
  const sums = Object.fromEntries(counters.map((counter) => [counter, 0])) as Record<Counter, number>;
  for (const row of rows) for (const counter of counters) sums[counter] += row[counter];
  return sums;
}
