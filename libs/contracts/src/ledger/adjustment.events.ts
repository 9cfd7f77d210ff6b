import { z } from 'zod';
import { defineEvent, idSchema } from '@atelier/kernel';

const adjustment = z.object({
  adjustmentId: idSchema('adj'),
  userId: idSchema('usr'),
  /** Positive gives credits, negative takes them. */
  amount: z.int(),
  reason: z.string(),
  allowNegative: z.boolean(),
  /** The admin who asked for it. */
  requestedById: z.string(),
});
const example = {
  adjustmentId: 'adj_01m7y1j20qe008c1f3vesc43m3',
  userId: 'usr_01m7y1j20qe008c1f3vesc43m3',
  amount: -40,
  reason: 'Granted twice by support on 20 November.',
  allowNegative: false,
  requestedById: 'usr_01m7y1j20qe008c1f3vesc43m4',
} as const;

export const AdjustmentRequested = defineEvent({
  type: 'ledger.adjustment.requested.v1',
  summary: "An admin asks for a user's credits to be changed by hand.",
  data: adjustment.extend({ requestedAt: z.iso.datetime() }),
  example: { ...example, requestedAt: '2026-11-21T08:00:00.000Z' },
});

export const AdjustmentApproved = defineEvent({
  type: 'ledger.adjustment.approved.v1',
  summary: "A second admin approved a change of a user's credits; it is posted.",
  data: adjustment.extend({
    approvedById: z.string(),
    entryId: idSchema('jrn'),
    approvedAt: z.iso.datetime(),
  }),
  example: {
    ...example,
    approvedById: 'usr_01m7y1j20qe008c1f3vesc43m5',
    entryId: 'jrn_01m7y1j20qe008c1f3vesc43m3',
    approvedAt: '2026-11-21T09:00:00.000Z',
  },
});

export const AdjustmentRejected = defineEvent({
  type: 'ledger.adjustment.rejected.v1',
  summary: "An admin refused a change of a user's credits; nothing was posted.",
  data: adjustment.extend({
    rejectedById: z.string(),
    rejectionReason: z.string(),
    rejectedAt: z.iso.datetime(),
  }),
  example: {
    ...example,
    rejectedById: 'usr_01m7y1j20qe008c1f3vesc43m5',
    rejectionReason: 'The second grant was a refund.',
    rejectedAt: '2026-11-21T09:00:00.000Z',
  },
});
