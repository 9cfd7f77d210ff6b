import type { DayRange, SalesReport } from '@atelier/contracts/analytics/daily.api';
import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { Projection, type EventOf, type Projects } from '@atelier/messaging';
import { Database } from '@atelier/persistence';
import { DailyCounts } from '../daily/daily-counts.js';
import { dayOf, daysOf, sumOf } from '../daily/day.domain.js';

const COUNTERS = [
  'count',
  'creditsGross',
  'creditsEarned',
  'refundCount',
  'creditsRefunded',
  'creditsReturned',
] as const;

type SaleFact = typeof PurchaseCompleted | typeof PurchaseRefunded;

/**
 * Sales per seller and UTC day. A refund counts on its own day, in counters of its own: a day that is over does not
 * change any more, and it does not matter which of the two facts comes first.
 */
@Projection({
  id: 'analytics.sales-daily',
  group: 'analytics.sales-daily',
  consumes: [PurchaseCompleted, PurchaseRefunded],
})
export class SalesDaily implements Projects<SaleFact> {
  private readonly counts: DailyCounts<'sellerId', (typeof COUNTERS)[number]>;

  constructor(database: Database) {
    this.counts = new DailyCounts(database, {
      collection: 'view_sales_daily',
      dimensions: ['sellerId'],
      counters: COUNTERS,
      scope: 'sellerId',
    });
  }

  /** One seller's days, each day of the range, and their totals. */
  async report(sellerId: string, range: DayRange): Promise<SalesReport> {
    const rows = new Map((await this.counts.sum(range, sellerId)).map((row) => [row.day, row]));
    const items = daysOf(range).map((day) => {
      const row = rows.get(day);
      return { day, ...sumOf(COUNTERS, row ? [row] : []) };
    });
    return { items, totals: sumOf(COUNTERS, items) };
  }

  async handle({ subject, data }: EventOf<SaleFact>): Promise<void> {
    const { sellerId, priceCredits, sellerEarningsCredits } = data;
    if ('refundedAt' in data) {
      await this.counts.add(
        subject,
        dayOf(data.refundedAt),
        { sellerId },
        { refundCount: 1, creditsRefunded: priceCredits, creditsReturned: sellerEarningsCredits },
      );
    } else {
      await this.counts.add(
        subject,
        dayOf(data.completedAt),
        { sellerId },
        { count: 1, creditsGross: priceCredits, creditsEarned: sellerEarningsCredits },
      );
    }
  }

  reset(): Promise<void> {
    return this.counts.reset();
  }
}
