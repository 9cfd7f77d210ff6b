import { z } from 'zod';
import { creditsSchema, defineEvent, idSchema, moneySchema } from '@atelier/kernel';

/** Who carries money to people. In production the sandbox, which moves none, is not there. */
export const PAYOUT_PROVIDERS = ['sandbox', 'bank_file'] as const;

const payout = z.object({
  payoutId: idSchema('pyo'),
  userId: idSchema('usr'),
  methodId: idSchema('pym'),
  provider: z.enum(PAYOUT_PROVIDERS),
  /** What leaves the seller's balance, and the money that it becomes. */
  credits: creditsSchema.min(1),
  amount: moneySchema,
  requestedAt: z.iso.datetime(),
});
const example = {
  payoutId: 'pyo_01m7y1j20qe008c1f3vesc43m3',
  userId: 'usr_01m7y1j20qe00tx1bzgqw12hbc',
  methodId: 'pym_01m7y1j20qe008c1f3vesc43m3',
  provider: 'sandbox',
  credits: 1_000,
  amount: { amount: '3000', currency: 'USD' },
  requestedAt: '2026-11-21T08:00:00.000Z',
} as const;
const admin = 'usr_01m7y1j20qe008c1f3vesc43m4';

export const PayoutRequested = defineEvent({
  type: 'ledger.payout.requested.v1',
  summary: 'A seller has turned matured earnings into money that is to be paid out.',
  data: payout,
  example,
});

export const PayoutApproved = defineEvent({
  type: 'ledger.payout.approved.v1',
  summary: 'An admin other than the seller allowed a payout.',
  data: payout.extend({ approvedBy: z.string(), approvedAt: z.iso.datetime() }),
  example: { ...example, approvedBy: admin, approvedAt: '2026-11-21T09:00:00.000Z' },
});

export const PayoutRejected = defineEvent({
  type: 'ledger.payout.rejected.v1',
  summary: 'An admin refused a payout; the seller has the credits back.',
  data: payout.extend({ rejectedBy: z.string(), reason: z.string(), rejectedAt: z.iso.datetime() }),
  example: {
    ...example,
    rejectedBy: admin,
    reason: 'The sales are under review.',
    rejectedAt: '2026-11-21T09:00:00.000Z',
  },
});

export const PayoutCanceled = defineEvent({
  type: 'ledger.payout.canceled.v1',
  summary: 'A seller took a payout back before it was approved, and has the credits again.',
  data: payout.extend({ canceledAt: z.iso.datetime() }),
  example: { ...example, canceledAt: '2026-11-21T08:30:00.000Z' },
});

export const PayoutPaid = defineEvent({
  type: 'ledger.payout.paid.v1',
  summary: 'The provider has paid a seller.',
  data: payout.extend({ providerReference: z.string(), paidAt: z.iso.datetime() }),
  example: { ...example, providerReference: 'sbx_tr_1', paidAt: '2026-11-21T10:00:00.000Z' },
});

export const PayoutFailed = defineEvent({
  type: 'ledger.payout.failed.v1',
  summary: 'The provider could not pay a seller; the seller has the credits back.',
  data: payout.extend({ reason: z.string(), failedAt: z.iso.datetime() }),
  example: { ...example, reason: 'account_closed', failedAt: '2026-11-21T10:00:00.000Z' },
});
