import { z } from 'zod';
import { idSchema } from '@atelier/kernel';

/** One admin asks for it, another one approves or rejects it; both ends are final. */
export const ADJUSTMENT_STATUSES = ['pending', 'approved', 'rejected'] as const;

const ADJUSTMENT_CREDITS_MAX = 1_000_000;
const reason = z
  .string()
  .trim()
  .min(10, { error: 'must say why in at least 10 characters' })
  .max(500, { error: 'must have at most 500 characters' });

/** `POST /api/v1/billing/adjustments` (admins) */
export const requestAdjustmentRequest = z.strictObject({
  userId: idSchema('usr'),
  /** Positive gives credits, negative takes them. */
  amount: z
    .int()
    .min(-ADJUSTMENT_CREDITS_MAX)
    .max(ADJUSTMENT_CREDITS_MAX)
    .refine((amount) => amount !== 0, { error: 'must not be 0' }),
  reason,
  /** Whether taking may leave the user with fewer than 0 available credits. Default false. */
  allowNegative: z.boolean().default(false),
});
export type RequestAdjustmentRequest = z.infer<typeof requestAdjustmentRequest>;

/** `POST /api/v1/billing/adjustments/{id}/reject` (admins) */
export const rejectAdjustmentRequest = z.strictObject({ reason });
export type RejectAdjustmentRequest = z.infer<typeof rejectAdjustmentRequest>;

/** `GET /api/v1/billing/adjustments` (admins), newest first */
export const adjustmentFilters = {
  status: z.enum(ADJUSTMENT_STATUSES).optional(),
  userId: idSchema('usr').optional(),
};

export const adjustmentView = z.object({
  id: idSchema('adj'),
  userId: idSchema('usr'),
  amount: z.int(),
  reason: z.string(),
  allowNegative: z.boolean(),
  status: z.enum(ADJUSTMENT_STATUSES),
  requestedById: z.string(),
  decidedById: z.string().nullable(),
  rejectionReason: z.string().nullable(),
  /** The ledger entry of an approved one. */
  entryId: idSchema('jrn').nullable(),
  createdAt: z.iso.datetime(),
  decidedAt: z.iso.datetime().nullable(),
});
export type AdjustmentView = z.infer<typeof adjustmentView>;
