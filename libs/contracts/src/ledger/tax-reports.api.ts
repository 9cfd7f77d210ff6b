import { z } from 'zod';

const units = z.string().regex(/^-?(0|[1-9]\d*)$/);

/** One line per asset: `credits`, in which sales are made, and each currency, in which earnings are paid out. */
export const taxReportLine = z.object({
  asset: z.string(),
  /** Sold; or turned into money. Whole credits or minor units, like all of these. */
  gross: units,
  /** Kept by the platform, those of refunded sales not counted. */
  fees: units,
  /** Of sales of this or an earlier year that were refunded; or of payouts that came back. */
  refunds: units,
  /** gross − fees − refunds */
  net: units,
  /** What payouts took. */
  payouts: units,
});

export const taxReportView = z.object({
  year: z.int(),
  /** The year is over, and the report does not change any more. */
  closed: z.boolean(),
  closedAt: z.iso.datetime().nullable(),
  lines: z.array(taxReportLine),
});
export type TaxReportView = z.infer<typeof taxReportView>;

/** `GET /api/v1/billing/tax-reports/{year}` */
export const taxReportQuery = z.strictObject({ format: z.enum(['json', 'csv', 'pdf']).default('json') });
export const taxYear = z.coerce.number().int().min(2020).max(9999);
