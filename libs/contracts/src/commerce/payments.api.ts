import { z } from 'zod';
import { creditsSchema, idSchema, moneySchema } from '@atelier/kernel';
import { PAYMENT_PROVIDERS, PAYMENT_PURPOSES } from './payment.events.js';

/** Decisions: one state machine for every money payment. */
export const PAYMENT_STATUSES = ['pending', 'succeeded', 'failed', 'refunded', 'disputed'] as const;

/** An item of `GET /api/v1/billing/credit-packages`. */
export const creditPackageView = z.object({
  id: idSchema('pkg'),
  name: z.string(),
  credits: creditsSchema,
  /** Granted on top. */
  bonusCredits: creditsSchema,
  price: moneySchema,
});
export type CreditPackageView = z.infer<typeof creditPackageView>;

/** `POST /api/v1/billing/checkouts` */
export const startCheckoutRequest = z.strictObject({ creditPackageId: idSchema('pkg') });
export type StartCheckoutRequest = z.infer<typeof startCheckoutRequest>;

export const paymentView = z.object({
  id: idSchema('pay'),
  status: z.enum(PAYMENT_STATUSES),
  amount: moneySchema,
  purpose: z.enum(PAYMENT_PURPOSES),
  provider: z.enum(PAYMENT_PROVIDERS),
  creditPackageId: idSchema('pkg').nullable(),
  /** What the payment grants when it succeeds, bonus included. */
  credits: creditsSchema.nullable(),
  failureReason: z.string().nullable(),
  createdAt: z.iso.datetime(),
  succeededAt: z.iso.datetime().nullable(),
});
export type PaymentView = z.infer<typeof paymentView>;

/** `checkoutUrl` is the provider's hosted page; the buyer pays there. */
export const checkoutView = z.object({ payment: paymentView, checkoutUrl: z.url() });
export type CheckoutView = z.infer<typeof checkoutView>;

/** The answer to a provider whose event is stored, or was before. */
export const webhookReceipt = z.object({ received: z.literal(true), duplicate: z.boolean() });
export type WebhookReceipt = z.infer<typeof webhookReceipt>;
