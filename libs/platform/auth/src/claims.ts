import { z } from 'zod';
import { PLATFORM_ROLES } from '@atelier/kernel';

const SCOPES_MAX = 64;

/** What identity puts into an access token and the gateway reads: the contract between the two. */
export const accessTokenClaims = z.object({
  sub: z.string().regex(/^usr_[0-9a-z]{26}$/),
  /** The session that the token belongs to; ending the session ends the token. */
  sid: z.string().min(1).max(64),
  role: z.enum(PLATFORM_ROLES),
  scopes: z.array(z.string().max(64)).max(SCOPES_MAX).optional(),
  tenant: z.string().max(64).optional(),
  iat: z.number(),
  exp: z.number(),
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
});
export type AccessTokenClaims = z.infer<typeof accessTokenClaims>;
