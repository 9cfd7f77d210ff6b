import { z } from 'zod';
import { idSchema } from '@atelier/kernel';
import { PAYOUT_PROVIDERS } from './payout.events.js';

export const PAYOUT_METHOD_TYPES = ['bank_account', 'paypal', 'stripe_express'] as const;
/** SM11. `verified`: the account is proved to be the person's; `active`: it may be paid to, after a wait. */
export const PAYOUT_METHOD_STATUSES = ['pending', 'verified', 'active', 'disabled'] as const;

const iban = z
  .string()
  .transform((text) => text.replaceAll(' ', '').toUpperCase())
  .pipe(z.string().regex(/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/, { error: 'expected an IBAN' }));

/** What the provider needs to know of the account. It goes to the provider, and is never answered again. */
export const payoutAccount = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('bank_account'), holderName: z.string().trim().min(1).max(140), iban }),
  z.strictObject({ type: z.literal('paypal'), email: z.email().max(254) }),
  z.strictObject({
    type: z.literal('stripe_express'),
    accountId: z.string().regex(/^acct_[A-Za-z0-9]{8,64}$/, { error: 'expected an id like acct_…' }),
  }),
]);
export type PayoutAccount = z.infer<typeof payoutAccount>;

/** `POST /api/v1/billing/payout-methods` */
export const addPayoutMethodRequest = z.strictObject({
  account: payoutAccount,
  isDefault: z.boolean().optional(),
});
export type AddPayoutMethodRequest = z.infer<typeof addPayoutMethodRequest>;

/** `POST /api/v1/billing/payout-methods/{id}/verify`: the code that came with the verification transfer. */
export const verifyPayoutMethodRequest = z.strictObject({
  code: z.string().regex(/^\d{6}$/, { error: 'expected six digits' }),
});
export type VerifyPayoutMethodRequest = z.infer<typeof verifyPayoutMethodRequest>;

/** `PATCH /api/v1/billing/payout-methods/{id}`: the one before is the default no longer. */
export const changePayoutMethodRequest = z.strictObject({ isDefault: z.literal(true) });
export type ChangePayoutMethodRequest = z.infer<typeof changePayoutMethodRequest>;

export const payoutMethodView = z.object({
  id: idSchema('pym'),
  type: z.enum(PAYOUT_METHOD_TYPES),
  provider: z.enum(PAYOUT_PROVIDERS),
  /** Enough to recognise the account by, and too little to use it: `•••• 3000`. */
  display: z.string(),
  isDefault: z.boolean(),
  status: z.enum(PAYOUT_METHOD_STATUSES),
  createdAt: z.iso.datetime(),
  verifiedAt: z.iso.datetime().nullable(),
  /** From when on it may be paid to; null until it is verified. */
  activeFrom: z.iso.datetime().nullable(),
});
export type PayoutMethodView = z.infer<typeof payoutMethodView>;
