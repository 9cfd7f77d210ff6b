import { z } from 'zod';
import { creditsSchema, idSchema } from '@atelier/kernel';

/** What a voucher gives (R471): credits, percent on the next purchase of credits, or days of a subscription. */
export const VOUCHER_TYPES = ['fixed_credits', 'percentage_bonus', 'subscription_trial'] as const;
/** SM38 (R472): admins turn it on and off, its time and its last use end it for good. */
export const VOUCHER_STATUSES = ['active', 'inactive', 'expired', 'depleted'] as const;
/** A percentage bonus is pending until its purchase; everything else is granted at once. */
export const REDEMPTION_STATUSES = ['granted', 'pending'] as const;

export const VOUCHER_VALUE_MAX = {
  fixed_credits: 1_000_000,
  percentage_bonus: 500,
  subscription_trial: 366,
} as const;
const METADATA_ENTRIES_MAX = 20;

/** Upper-cased and trimmed, so that a code is the same however it is typed (R473). */
export const voucherCodeSchema = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z0-9][A-Z0-9_-]{3,31}$/, {
    error: 'must have 4 to 32 letters, digits, "-" or "_"',
  });

/** Of what campaign a voucher is (R475); kept as it was given. */
const metadata = z
  .record(z.string().min(1).max(64), z.union([z.string().max(500), z.number(), z.boolean()]))
  .refine((entries) => Object.keys(entries).length <= METADATA_ENTRIES_MAX, {
    error: `must have at most ${METADATA_ENTRIES_MAX} entries`,
  });

/** `POST /api/v1/billing/vouchers` (admins) */
export const createVoucherRequest = z
  .strictObject({
    code: voucherCodeSchema,
    type: z.enum(VOUCHER_TYPES),
    /** Credits, percent or days, by type. */
    value: z.int().min(1),
    /** Left out: any number of people may use it (R474). */
    maxUses: z.int().min(1).max(10_000_000).optional(),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
    metadata: metadata.optional(),
  })
  .refine(({ type, value }) => value <= VOUCHER_VALUE_MAX[type], {
    path: ['value'],
    error: 'is more than a voucher of this type may give',
  });
export type CreateVoucherRequest = z.infer<typeof createVoucherRequest>;

/** `GET /api/v1/billing/vouchers` (admins), newest first */
export const voucherFilters = { status: z.enum(VOUCHER_STATUSES).optional() };

/** A voucher as admins see it. */
export const voucherView = z.object({
  id: idSchema('vch'),
  code: z.string(),
  type: z.enum(VOUCHER_TYPES),
  value: z.int(),
  maxUses: z.int().nullable(),
  currentUses: z.int(),
  expiresAt: z.iso.datetime().nullable(),
  status: z.enum(VOUCHER_STATUSES),
  metadata,
  createdById: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type VoucherView = z.infer<typeof voucherView>;

/**
 * `POST /api/v1/billing/vouchers/redeem`. Refused with 404 `ledger.voucher.not_found`, 409
 * `ledger.voucher.already_redeemed`, `ledger.voucher.inactive` or `ledger.voucher.depleted`, 410
 * `ledger.voucher.expired`.
 */
export const redeemVoucherRequest = z.strictObject({ code: voucherCodeSchema });
export type RedeemVoucherRequest = z.infer<typeof redeemVoucherRequest>;

/** A redemption as the one who redeemed sees it; also `GET /api/v1/billing/vouchers/redemptions`. */
export const redemptionView = z.object({
  id: idSchema('vrd'),
  code: z.string(),
  type: z.enum(VOUCHER_TYPES),
  value: z.int(),
  status: z.enum(REDEMPTION_STATUSES),
  creditsGranted: creditsSchema,
  /** The ledger entry behind it; the statement line has the redemption's id as `sourceId` (R481). */
  entryId: idSchema('jrn').nullable(),
  redeemedAt: z.iso.datetime(),
  grantedAt: z.iso.datetime().nullable(),
});
export type RedemptionView = z.infer<typeof redemptionView>;
