import { z } from 'zod';
import { creditsSchema, idSchema, pageOf } from '@atelier/kernel';

/** SM39 (R484): completed by the referee's first payment; invalid when the fraud check says so. */
export const REFERRAL_STATUSES = ['pending', 'completed', 'invalid'] as const;

/** One person whom the caller brought; who it is stays with that person. */
export const referralView = z.object({
  id: idSchema('ref'),
  status: z.enum(REFERRAL_STATUSES),
  creditsGranted: creditsSchema,
  createdAt: z.iso.datetime(),
  completedAt: z.iso.datetime().nullable(),
});
export type ReferralView = z.infer<typeof referralView>;

/** `GET /api/v1/billing/referrals`: the caller's own code, what it has brought, and one page of it, newest first. */
export const referralsView = pageOf(referralView).extend({
  /** Null until the caller's registration has arrived here. */
  code: z.string().nullable(),
  totals: z.object({
    pending: z.int(),
    completed: z.int(),
    invalid: z.int(),
    creditsGranted: z.int(),
  }),
});
export type ReferralsView = z.infer<typeof referralsView>;
