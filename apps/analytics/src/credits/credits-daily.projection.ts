import type { CreditsReport, DayRange } from '@atelier/contracts/analytics/daily.api';
import {
  CreditsGranted,
  CreditsSpent,
  type CreditTransactionType,
} from '@atelier/contracts/ledger/credits.events';
import { Projection, type EventOf, type Projects } from '@atelier/messaging';
import { Database } from '@atelier/persistence';
import { DailyCounts, type Counts } from '../daily/daily-counts.js';
import { dayOf, daysOf, sumOf } from '../daily/day.domain.js';

const COUNTERS = ['granted', 'spent'] as const;

type Row = Counts<'type', (typeof COUNTERS)[number]>;
type CreditsFact = typeof CreditsGranted | typeof CreditsSpent;

/** Credits that came into balances and went out of them, per UTC day and what for. Holds are neither. */
@Projection({
  id: 'analytics.credits-daily',
  group: 'analytics.credits-daily',
  consumes: [CreditsGranted, CreditsSpent],
})
export class CreditsDaily implements Projects<CreditsFact> {
  private readonly counts: DailyCounts<'type', (typeof COUNTERS)[number]>;

  constructor(database: Database) {
    this.counts = new DailyCounts(database, {
      collection: 'view_credits_daily',
      dimensions: ['type'],
      counters: COUNTERS,
    });
  }

  /** The platform's days, each day of the range, and their totals. */
  async report(range: DayRange): Promise<CreditsReport> {
    const rows = await this.counts.sum(range);
    const byDay = Map.groupBy(rows, ({ day }) => day);
    const items = daysOf(range).map((day) => ({ day, ...creditsOf(byDay.get(day) ?? []) }));
    return { items, totals: creditsOf(rows) };
  }

  async handle({ type, subject, time, data }: EventOf<CreditsFact>): Promise<void> {
    const counter = type === CreditsGranted.type ? 'granted' : 'spent';
    await this.counts.add(subject, dayOf(time), { type: data.type }, { [counter]: data.amount });
  }

  reset(): Promise<void> {
    return this.counts.reset();
  }
}

const creditsOf = (rows: readonly Row[]) => ({
  ...sumOf(COUNTERS, rows),
  grantedByType: byType(rows, 'granted'),
  spentByType: byType(rows, 'spent'),
});

/** Types that moved nothing are left out. */
function byType(
  rows: readonly Row[],
  counter: (typeof COUNTERS)[number],
): Partial<Record<CreditTransactionType, number>> {
  const sums: Partial<Record<string, number>> = {};
  for (const row of rows) if (row[counter] > 0) sums[row.type] = (sums[row.type] ?? 0) + row[counter];
  return sums;
}
