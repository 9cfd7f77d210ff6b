import { z } from 'zod';
import { creditsSchema, defineEvent, idSchema } from '@atelier/kernel';

/** What a movement of credits is for: D's types (R511) in lower_snake and ours (decisions). */
export const CREDIT_TRANSACTION_TYPES = [
  'earn_regeneration',
  'earn_purchase',
  'earn_bonus',
  'earn_admin_adjustment',
  'earn_sale',
  'spend_enhancement',
  'spend_mcp_generation',
  'spend_box_creation',
  'spend_box_usage',
  'spend_marketplace',
  'spend_admin_adjustment',
  'rollover_expiry',
  'refund',
  'refund_reversal',
  'spend_payout',
  'payout_return',
  'payment_refund',
] as const;
export type CreditTransactionType = (typeof CREDIT_TRANSACTION_TYPES)[number];
/** What a person does with credits: what they are set aside for. */
export const SPEND_TYPES = [
  'spend_enhancement',
  'spend_mcp_generation',
  'spend_box_creation',
  'spend_box_usage',
  'spend_marketplace',
] as const satisfies readonly CreditTransactionType[];

const movement = z.object({
  userId: idSchema('usr'),
  /** Always positive; the event's name tells the direction. */
  amount: creditsSchema,
  type: z.enum(CREDIT_TRANSACTION_TYPES),
  /** The purchase, payment, job … that caused it. */
  sourceId: z.string(),
  entryId: idSchema('jrn'),
  /** The settled balance after it. */
  balanceAfter: z.int(),
});
const hold = z.object({
  holdId: idSchema('hld'),
  userId: idSchema('usr'),
  amount: creditsSchema,
  type: z.enum(CREDIT_TRANSACTION_TYPES),
  sourceId: z.string(),
});
const userId = 'usr_01m7y1j20qe008c1f3vesc43m3' as const;
const holdId = 'hld_01m7y1j20qe008c1f3vesc43m3' as const;
const entryId = 'jrn_01m7y1j20qe008c1f3vesc43m3' as const;

export const CreditsGranted = defineEvent({
  type: 'ledger.credits.granted.v1',
  summary: 'A user has more credits.',
  subjectField: 'userId',
  data: movement,
  example: {
    userId,
    amount: 500,
    type: 'earn_purchase',
    sourceId: 'pay_01m7y1j20qe008c1f3vesc43m3',
    entryId,
    balanceAfter: 500,
  },
});

export const CreditsHeld = defineEvent({
  type: 'ledger.credits.held.v1',
  summary: 'Credits are set aside for something that is under way.',
  subjectField: 'userId',
  data: hold.extend({ expiresAt: z.iso.datetime() }),
  example: {
    holdId,
    userId,
    amount: 100,
    type: 'spend_marketplace',
    sourceId: 'pur_01m7y1j20qe008c1f3vesc43m3',
    expiresAt: '2026-11-21T08:15:00.000Z',
  },
});

export const CreditsSpent = defineEvent({
  type: 'ledger.credits.spent.v1',
  summary: 'A user has paid with credits.',
  subjectField: 'userId',
  data: movement.extend({
    holdId: idSchema('hld').nullable(),
    /** True when the hold had expired before the capture came: the spend stands, and somebody should look. */
    late: z.boolean().optional(),
  }),
  example: {
    userId,
    amount: 100,
    type: 'spend_marketplace',
    sourceId: 'pur_01m7y1j20qe008c1f3vesc43m3',
    entryId,
    balanceAfter: 400,
    holdId,
  },
});

export const CreditsReleased = defineEvent({
  type: 'ledger.credits.released.v1',
  summary: 'Credits that were set aside are available again.',
  subjectField: 'userId',
  data: hold.extend({ reason: z.enum(['failed', 'canceled', 'expired', 'partly_captured']) }),
  example: {
    holdId,
    userId,
    amount: 5,
    type: 'spend_enhancement',
    sourceId: 'job_01m7y1j20qe008c1f3vesc43m3',
    reason: 'failed',
  },
});
