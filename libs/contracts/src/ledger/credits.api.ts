import { z } from 'zod';
import { idSchema } from '@atelier/kernel';
import { CREDIT_TRANSACTION_TYPES } from './credits.events.js';

/** `GET /api/v1/billing/credits`: `available` = `settled` − `held`; a refunded sale can take it below zero. */
export const creditsView = z.object({ settled: z.int(), held: z.int(), available: z.int() });
export type CreditsView = z.infer<typeof creditsView>;

/** The filters of `GET /api/v1/billing/credit-transactions`: `from` is included, `to` is not. */
export const creditTransactionFilters = {
  type: z.enum(CREDIT_TRANSACTION_TYPES).optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
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
