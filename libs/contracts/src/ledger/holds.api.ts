import { z } from 'zod';
import { creditsSchema, idSchema } from '@atelier/kernel';
import { CREDIT_TRANSACTION_TYPES, SPEND_TYPES } from './credits.events.js';

export const HOLD_STATUSES = ['held', 'captured', 'released', 'expired'] as const;

/**
 * `POST /internal/holds`: sets credits of a user aside. The hold's id is chosen by the caller and is the key: a
 * repeat answers the same hold. Short credits answer 402 `ledger.credits.insufficient` with `available`, `held`
 * and `required`.
 */
export const placeHoldRequest = z.strictObject({
  holdId: idSchema('hld'),
  userId: idSchema('usr'),
  amount: creditsSchema.min(1),
  type: z.enum(SPEND_TYPES),
  /** The purchase or job that the credits are for. */
  sourceId: z.string().min(1).max(64),
  /** How long the hold stands without a capture; the ledger's own limit caps it. */
  ttlSeconds: z.int().min(1).max(86_400).optional(),
});
export type PlaceHoldRequest = z.infer<typeof placeHoldRequest>;

export const holdView = z.object({
  holdId: idSchema('hld'),
  userId: idSchema('usr'),
  amount: creditsSchema,
  capturedAmount: creditsSchema,
  status: z.enum(HOLD_STATUSES),
  expiresAt: z.iso.datetime(),
});
export type HoldView = z.infer<typeof holdView>;

/** `POST /internal/holds/{id}/release`: gives the credits back; a repeat, or a hold that ended, answers its state. */
export const releaseHoldRequest = z.strictObject({ reason: z.enum(['failed', 'canceled']) });
export type ReleaseHoldRequest = z.infer<typeof releaseHoldRequest>;

/**
 * `POST /internal/holds/{id}/extend`: work takes longer than was thought. An earlier time, or a repeat, changes
 * nothing; a later one than the ledger allows is cut to that. A hold that ended answers 409 `ledger.hold.ended`.
 */
export const extendHoldRequest = z.strictObject({ expiresAt: z.iso.datetime({ offset: true }) });
export type ExtendHoldRequest = z.infer<typeof extendHoldRequest>;

/** `GET /api/v1/billing/holds`: what is set aside of one's own credits, and for what. */
export const openHoldView = z.object({
  holdId: idSchema('hld'),
  amount: creditsSchema,
  type: z.enum(CREDIT_TRANSACTION_TYPES),
  sourceId: z.string(),
  expiresAt: z.iso.datetime(),
  createdAt: z.iso.datetime(),
});
export type OpenHoldView = z.infer<typeof openHoldView>;
