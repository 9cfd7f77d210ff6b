import { z } from 'zod';
import { CREDIT_TRANSACTION_TYPES } from '../ledger/credits.events.js';

/** The longest range that one answer covers: a leap year. */
export const RANGE_DAYS_MAX = 366;
const DAY_MS = 86_400_000;

/** What is no day is refused as that alone, and not compared. */
const requestedDay = z.iso.date({ abort: true });

/** `?from=&to=`: UTC days, both included. */
export const dayRangeQuery = z
  .strictObject({ from: requestedDay, to: requestedDay })
  .refine(({ from, to }) => from <= to, { path: ['to'], error: 'must not be before from' })
  .refine(({ from, to }) => (Date.parse(to) - Date.parse(from)) / DAY_MS < RANGE_DAYS_MAX, {
    path: ['to'],
    error: `must be within ${RANGE_DAYS_MAX} days, from included`,
  });
export type DayRange = z.infer<typeof dayRangeQuery>;

const total = z.int().min(0);
const day = { day: z.iso.date() };

const sales = {
  /** Sales of the day; refunded ones stay counted on the day of the sale. */
  count: total,
  /** What buyers paid. */
  creditsGross: total,
  /** What the seller earned of it. */
  creditsEarned: total,
  /** Refunds of the day, whenever the sale was. */
  refundCount: total,
  /** What buyers got back. */
  creditsRefunded: total,
  /** What the seller gave back of earnings. */
  creditsReturned: total,
};
/** `GET /api/v1/analytics/sales`: the caller's own sales, an item for every day of the range. */
export const salesReport = z.object({
  items: z.array(z.object({ ...day, ...sales })).max(RANGE_DAYS_MAX),
  totals: z.object(sales),
});
export type SalesReport = z.infer<typeof salesReport>;

const byType = z.partialRecord(z.enum(CREDIT_TRANSACTION_TYPES), total);
const credits = { granted: total, spent: total, grantedByType: byType, spentByType: byType };
/** `GET /api/v1/analytics/credits` (admin): the platform's credits, an item for every day of the range. */
export const creditsReport = z.object({
  items: z.array(z.object({ ...day, ...credits })).max(RANGE_DAYS_MAX),
  totals: z.object(credits),
});
export type CreditsReport = z.infer<typeof creditsReport>;

const jobs = {
  completed: total,
  failed: total,
  canceled: total,
  creditsCharged: total,
  /** Of all jobs that ended, together. */
  durationMs: total,
};
/** `GET /api/v1/analytics/jobs` (admin): the platform's jobs by outcome, an item for every day of the range. */
export const jobsReport = z.object({
  items: z.array(z.object({ ...day, ...jobs })).max(RANGE_DAYS_MAX),
  totals: z.object(jobs),
});
export type JobsReport = z.infer<typeof jobsReport>;
