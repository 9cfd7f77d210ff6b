import { z } from 'zod';
import { creditsSchema, defineEvent, idSchema, moneySchema } from '@atelier/kernel';

export const PAYMENT_PROVIDERS = ['sandbox', 'stripe', 'paddle', 'polar'] as const;
export const PAYMENT_PURPOSES = [
  'credit_package',
  'subscription',
  'agent_subscription',
  'order',
  'listing',
] as const;

const payment = z.object({
  paymentId: idSchema('pay'),
  userId: idSchema('usr'),
  purpose: z.enum(PAYMENT_PURPOSES),
  amount: moneySchema,
  provider: z.enum(PAYMENT_PROVIDERS),
  providerPaymentId: z.string(),
  /** Set when the purpose is a credit package: what it grants, bonus included. */
  creditPackageId: idSchema('pkg').optional(),
  credits: creditsSchema.optional(),
});
const example = {
  paymentId: 'pay_01m7y1j20qe008c1f3vesc43m3',
  userId: 'usr_01m7y1j20qe008c1f3vesc43m3',
  purpose: 'credit_package',
  amount: { amount: '1999', currency: 'USD' },
  provider: 'sandbox',
  providerPaymentId: 'sbx_1',
  creditPackageId: 'pkg_01m7y1j20qe008c1f3vesc43m3',
  credits: 500,
} as const;

export const PaymentSucceeded = defineEvent({
  type: 'commerce.payment.succeeded.v1',
  summary: 'A payment provider has the money.',
  data: payment.extend({ succeededAt: z.iso.datetime() }),
  example: { ...example, succeededAt: '2026-11-21T08:00:00.000Z' },
});

export const PaymentFailed = defineEvent({
  type: 'commerce.payment.failed.v1',
  summary: 'A payment did not come about; nothing is owed.',
  data: payment.extend({ reason: z.string(), failedAt: z.iso.datetime() }),
  example: { ...example, reason: 'card_declined', failedAt: '2026-11-21T08:00:00.000Z' },
});

export const PaymentRefunded = defineEvent({
  type: 'commerce.payment.refunded.v1',
  summary: 'A payment provider has given the money back, all of it.',
  data: payment.extend({ refundedAt: z.iso.datetime() }),
  example: { ...example, refundedAt: '2026-11-21T09:00:00.000Z' },
});

export const PaymentDisputed = defineEvent({
  type: 'commerce.payment.disputed.v1',
  summary: 'A payer contests a payment at the bank; the money is withheld until that is decided.',
  data: payment.extend({ reason: z.string(), disputedAt: z.iso.datetime() }),
  example: { ...example, reason: 'fraudulent', disputedAt: '2026-11-21T09:00:00.000Z' },
});
