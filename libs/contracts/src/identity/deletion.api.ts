import { z } from 'zod';
import { passwordSchema } from './auth.api.js';

/**
 * `DELETE /api/v1/users/me`, `If-Match` optional: answers 204, and 204 to a repeat. Without a password the session
 * that asks must have begun just now; else 403 `identity.user.confirmation_required`.
 */
export const deleteAccountRequest = z.strictObject({ password: passwordSchema.optional() }).nullish();
export type DeleteAccountRequest = z.infer<typeof deleteAccountRequest>;
