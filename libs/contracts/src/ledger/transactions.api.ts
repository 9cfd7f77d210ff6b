import { z } from 'zod';
import { idSchema, moneySchema } from '@atelier/kernel';
import { PAYMENT_PROVIDERS } from '../commerce/payment.events.js';
import { PAYOUT_PROVIDERS } from './payout.events.js';

/**
 * R38. What a person paid: `purchase`, given back: `refund`. What the platform owes a seller in money: `credit`
 * raises it, `debit` takes it back, `payout` pays it.
 */
export const TRANSACTION_TYPES = ['purchase', 'refund', 'credit', 'debit', 'payout'] as const;
/** SM10; the last three are final. */
export const TRANSACTION_STATUSES = ['pending', 'completed', 'failed', 'canceled'] as const;
/** R40. `system` is the platform itself: nobody else moved anything. */
export const TRANSACTION_PROVIDERS = [
  ...new Set([...PAYMENT_PROVIDERS, ...PAYOUT_PROVIDERS]),
  'system',
] as const;

/** The filters of `GET /api/v1/billing/transactions`: `from` is included, `to` is not. */
export const transactionFilters = {
  type: z.enum(TRANSACTION_TYPES).optional(),
  status: z.enum(TRANSACTION_STATUSES).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
};

export const transactionView = z.object({
  id: idSchema('txn'),
  type: z.enum(TRANSACTION_TYPES),
  /** Never negative: the type tells the direction. */
  amount: moneySchema,
  /** The credits that came with it, or that it took (R39). */
  creditsAffected: z.int(),
  provider: z.enum(TRANSACTION_PROVIDERS),
  providerTransactionId: z.string().nullable(),
  status: z.enum(TRANSACTION_STATUSES),
  description: z.string(),
  /** The payment or payout behind it. */
  sourceId: z.string(),
  createdAt: z.iso.datetime(),
  completedAt: z.iso.datetime().nullable(),
});
export type TransactionView = z.infer<typeof transactionView>;
