import { z } from 'zod';
import { creditsSchema, moneySchema } from '@atelier/kernel';

/** `GET /api/v1/billing/earnings`: what a seller may have paid out, and why not more. */
export const earningsView = z.object({
  /** Net of refunds: from sales that are old enough, and from those that are not yet. */
  maturedCredits: z.int(),
  maturingCredits: z.int(),
  /** What payouts have taken, those under way included. */
  paidOutCredits: creditsSchema,
  /** Matured, not paid out, and still there to be spent. */
  payableCredits: creditsSchema,
  /** The least that one payout may take. */
  payoutCreditsMin: creditsSchema,
  /** What one credit is worth, per currency. */
  ratePerCredit: z.array(moneySchema),
  /** Money that is on its way. */
  inPayout: z.array(moneySchema),
});
export type EarningsView = z.infer<typeof earningsView>;
