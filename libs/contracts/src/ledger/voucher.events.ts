import { z } from 'zod';
import { creditsSchema, defineEvent, idSchema } from '@atelier/kernel';
import { REDEMPTION_STATUSES, VOUCHER_STATUSES, VOUCHER_TYPES } from './vouchers.api.js';

const voucher = z.object({
  voucherId: idSchema('vch'),
  code: z.string(),
  type: z.enum(VOUCHER_TYPES),
  /** Credits, percent or days, by type. */
  value: z.int(),
  maxUses: z.int().nullable(),
  expiresAt: z.iso.datetime().nullable(),
  status: z.enum(VOUCHER_STATUSES),
  /** The admin who did it. */
  actorId: z.string(),
});
const example = {
  voucherId: 'vch_01m7y1j20qe008c1f3vesc43m3',
  code: 'WELCOME-50',
  type: 'fixed_credits',
  value: 50,
  maxUses: 1000,
  expiresAt: '2027-01-01T00:00:00.000Z',
  status: 'active',
  actorId: 'usr_01m7y1j20qe008c1f3vesc43m3',
} as const;

export const VoucherCreated = defineEvent({
  type: 'ledger.voucher.created.v1',
  summary: 'An admin made a voucher.',
  data: voucher,
  example,
});

export const VoucherUpdated = defineEvent({
  type: 'ledger.voucher.updated.v1',
  summary: 'An admin turned a voucher off or on again.',
  data: voucher,
  example: { ...example, status: 'inactive' },
});

export const VoucherRedeemed = defineEvent({
  type: 'ledger.voucher.redeemed.v1',
  summary:
    'A person used a voucher. Its subject is the redemption; who sells subscriptions grants the trial by it.',
  subjectField: 'redemptionId',
  data: z.object({
    redemptionId: idSchema('vrd'),
    voucherId: idSchema('vch'),
    userId: idSchema('usr'),
    code: z.string(),
    type: z.enum(VOUCHER_TYPES),
    /** Credits, percent or days, by type. */
    value: z.int(),
    /** `pending`: a percentage that waits for the next purchase of credits. */
    status: z.enum(REDEMPTION_STATUSES),
    creditsGranted: creditsSchema,
    redeemedAt: z.iso.datetime(),
  }),
  example: {
    redemptionId: 'vrd_01m7y1j20qe008c1f3vesc43m3',
    voucherId: example.voucherId,
    userId: 'usr_01m7y1j20qe008c1f3vesc43m3',
    code: example.code,
    type: 'fixed_credits',
    value: 50,
    status: 'granted',
    creditsGranted: 50,
    redeemedAt: '2026-11-21T08:00:00.000Z',
  },
});
