import type { DayRange, JobsReport } from '@atelier/contracts/analytics/daily.api';
import { JobFinished } from '@atelier/contracts/studio/job.events';
import { Projection, type EventOf, type Projects } from '@atelier/messaging';
import { Database } from '@atelier/persistence';
import { DailyCounts } from '../daily/daily-counts.js';
import { dayOf, daysOf, sumOf } from '../daily/day.domain.js';

const COUNTERS = ['completed', 'failed', 'canceled', 'creditsCharged', 'durationMs'] as const;

/** Jobs that ended, per UTC day, kind and outcome; visitors' too. */
@Projection({ id: 'analytics.jobs-daily', group: 'analytics.jobs-daily', consumes: JobFinished })
export class JobsDaily implements Projects<typeof JobFinished> {
  private readonly counts: DailyCounts<'kind', (typeof COUNTERS)[number]>;

  constructor(database: Database) {
    this.counts = new DailyCounts(database, {
      collection: 'view_jobs_daily',
      dimensions: ['kind'],
      counters: COUNTERS,
    });
  }

  /** The platform's days, each day of the range, and their totals. */
  async report(range: DayRange): Promise<JobsReport> {
    const byDay = Map.groupBy(await this.counts.sum(range), ({ day }) => day);
    const items = daysOf(range).map((day) => ({ day, ...sumOf(COUNTERS, byDay.get(day) ?? []) }));
    return { items, totals: sumOf(COUNTERS, items) };
  }

  async handle({ subject, data }: EventOf<typeof JobFinished>): Promise<void> {
    const { kind, outcome, chargedCredits, durationMs, finishedAt } = data;
    await this.counts.add(
      subject,
      dayOf(finishedAt),
      { kind },
      { [outcome]: 1, creditsCharged: chargedCredits, durationMs },
    );
  }

  reset(): Promise<void> {
    return this.counts.reset();
  }
}
