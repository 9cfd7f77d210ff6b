import { z } from 'zod';
import { idSchema } from '@atelier/kernel';
import { CREDIT_TRANSACTION_TYPES } from './credits.events.js';

/** `GET /api/v1/billing/credits`: `available` = `settled` − `held`; a refunded sale can take it below zero. */
export const creditsView = z.object({ settled: z.int(), held: z.int(), available: z.int() });
export type CreditsView = z.infer<typeof creditsView>;

/** `GET /api/v1/billing/credits?at=`: what was there at that time (R241). Holds leave no trace in a statement. */
export const creditsQuery = z.strictObject({ at: z.iso.datetime({ offset: true }).optional() });
export const creditsAtView = z.object({ settled: z.int(), at: z.iso.datetime() });
export type CreditsAtView = z.infer<typeof creditsAtView>;

const transactionType = z.enum(CREDIT_TRANSACTION_TYPES);

/**
 * The filters of `GET /api/v1/billing/credit-transactions`: `type` may be repeated, `from` is included, `to` is
 * not. `format=csv`, or `Accept: text/csv`, answers all that match in one file, without pages.
 */
export const creditTransactionFilters = {
  type: z.union([transactionType, z.array(transactionType).max(CREDIT_TRANSACTION_TYPES.length)]).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  format: z.enum(['json', 'csv']).optional(),
};

/** One line of a user's statement; a positive amount came in, a negative one went out (R240). */
export const creditTransactionView = z.object({
  id: idSchema('crt'),
  type: z.enum(CREDIT_TRANSACTION_TYPES),
  amount: z.int(),
  /** The settled balance after this line (R237). */
  balanceAfter: z.int(),
  /** The purchase, payment or job that caused it (R242). */
  sourceId: z.string(),
  createdAt: z.iso.datetime(),
});
export type CreditTransactionView = z.infer<typeof creditTransactionView>;
