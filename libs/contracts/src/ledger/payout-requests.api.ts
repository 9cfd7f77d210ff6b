import { z } from 'zod';
import { creditsSchema, idSchema, moneySchema } from '@atelier/kernel';
import { PAYOUT_PROVIDERS } from './payout.events.js';

export const PAYOUT_STATUSES = [
  'requested',
  'approved',
  'rejected',
  'canceled',
  'paying',
  'paid',
  'failed',
] as const;

/** `POST /api/v1/billing/payout-requests`; without a method it goes to the default one. */
export const requestPayoutRequest = z.strictObject({
  amountCredits: creditsSchema.min(1),
  currency: z.string().regex(/^[A-Z]{3}$/, { error: 'expected an ISO 4217 code, like "USD"' }),
  methodId: idSchema('pym').optional(),
});
export type RequestPayoutRequest = z.infer<typeof requestPayoutRequest>;

/** `POST /api/v1/billing/payout-requests/{id}/reject` */
export const rejectPayoutRequest = z.strictObject({ reason: z.string().trim().min(1).max(500) });
export type RejectPayoutRequest = z.infer<typeof rejectPayoutRequest>;

/** The filter of `GET /api/v1/billing/payout-requests/queue`. */
export const payoutQueueFilters = { status: z.enum(PAYOUT_STATUSES).default('requested') };

export const payoutRequestView = z.object({
  id: idSchema('pyo'),
  userId: idSchema('usr'),
  methodId: idSchema('pym'),
  provider: z.enum(PAYOUT_PROVIDERS),
  credits: creditsSchema,
  amount: moneySchema,
  status: z.enum(PAYOUT_STATUSES),
  /** Why it was rejected, or failed. */
  reason: z.string().nullable(),
  providerReference: z.string().nullable(),
  createdAt: z.iso.datetime(),
  decidedAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
});
export type PayoutRequestView = z.infer<typeof payoutRequestView>;

/** `POST /api/v1/billing/payout-requests/bank-files`: the file is read by its id, as often as needed. */
export const bankFileView = z.object({ id: idSchema('bkf'), transfers: z.int() });
export type BankFileView = z.infer<typeof bankFileView>;

/** `POST /api/v1/billing/payout-requests/bank-transfers/{id}/confirm`: what the bank said. */
export const confirmTransferRequest = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('paid') }),
  z.strictObject({ outcome: z.literal('failed'), reason: z.string().trim().min(1).max(200) }),
]);
export type ConfirmTransferRequest = z.infer<typeof confirmTransferRequest>;

export const bankTransferView = z.object({
  id: z.string(),
  status: z.enum(['ordered', 'paid', 'failed']),
  reason: z.string().nullable(),
});
export type BankTransferView = z.infer<typeof bankTransferView>;
