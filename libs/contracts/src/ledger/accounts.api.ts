import { z } from 'zod';

/** What the monthly regeneration goes by (R234). */
export const TIERS = ['free', 'basic', 'standard', 'premium'] as const;

/** `PUT /internal/accounts/{userId}/tier`: counts from the next month's turn; a repeat changes nothing. */
export const setTierRequest = z.strictObject({ tier: z.enum(TIERS) });
export type SetTierRequest = z.infer<typeof setTierRequest>;
