import { z } from 'zod';
import { displayNameSchema, userView } from './users.api.js';

/** Who signs access tokens and for whom: identity sets them, the gateway insists on them. */
export const ACCESS_TOKEN_ISSUER = 'urn:atelier:identity';
export const ACCESS_TOKEN_AUDIENCE = 'urn:atelier:api';
export const ACCESS_TOKEN_LIFETIME_SECONDS = 900;

const EMAIL_CHARS_MAX = 254;
const PASSWORD_CHARS_SENT_MAX = 1_024;
const REFRESH_TOKEN_CHARS_MAX = 128;
const REFERRAL_CODE_CHARS_MAX = 32;

/** Trimmed and lower-cased (R141, R574); has the form that R154 asks for. */
export const emailSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(EMAIL_CHARS_MAX, { error: `must have at most ${EMAIL_CHARS_MAX} characters` })
  .regex(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, { error: 'is not an e-mail address' });

/** Only a bound on what is read; identity's password rules decide. Never trimmed: spaces may belong to it. */
export const passwordSchema = z.string().min(1, { error: 'is required' }).max(PASSWORD_CHARS_SENT_MAX);

/** `POST /api/v1/auth/register` */
export const registerRequest = z.strictObject({
  email: emailSchema,
  password: passwordSchema,
  displayName: displayNameSchema,
  /** Of the user who brought this one; the ledger looks it up. */
  referralCode: z
    .string()
    .trim()
    .regex(/^[\w-]+$/, { error: 'is not a referral code' })
    .max(REFERRAL_CODE_CHARS_MAX)
    .optional(),
});
export type RegisterRequest = z.infer<typeof registerRequest>;

/** `POST /api/v1/auth/login` */
export const logInRequest = z.strictObject({ email: emailSchema, password: passwordSchema });
export type LogInRequest = z.infer<typeof logInRequest>;

const refreshToken = z.string().min(1).max(REFRESH_TOKEN_CHARS_MAX);

/** `POST /api/v1/auth/refresh` */
export const refreshRequest = z.strictObject({ refreshToken });

/** `POST /api/v1/auth/logout`: ends the session of the refresh token, or without one the session that asks. */
export const logOutRequest = z.strictObject({ refreshToken: refreshToken.optional() }).nullish();

/** The answer of register, login and refresh. */
export const authView = z.object({
  user: userView,
  accessToken: z.string(),
  refreshToken: z.string(),
  /** Seconds until the access token expires. */
  expiresIn: z.int(),
});
export type AuthView = z.infer<typeof authView>;
