import { z } from 'zod';
import { messagingEnvironment } from '@atelier/messaging';
import { persistenceEnvironment } from '@atelier/persistence';
import { defineConfig } from '@atelier/service';
import { privateJwkSchema } from './keys/private-jwk.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const PASSWORD_HASH_COST_MIN = 12;

/** The whole environment of identity. */
export const identityConfig = defineConfig(
  'identity',
  {
    ...persistenceEnvironment,
    ...messagingEnvironment,
    JWT_PRIVATE_JWK: privateJwkSchema.describe(
      'signs access tokens: a private JWK, ES256 (P-256) or EdDSA (Ed25519)',
    ),
    /** The root of what identity derives: refresh tokens, hashes of addresses, sealed answers. Keep it stable. */
    DATA_ENCRYPTION_KEY: z.string().min(32).max(1_024),
    /** `{"admin":{"email","password"},"moderator":{…}}`; read outside production only. */
    DEV_LOGINS_FILE: z.string().min(1).optional(),
    /** A session that is not used for this long is over; each refresh begins the time anew. */
    SESSION_IDLE_MS_MAX: z.coerce
      .number()
      .int()
      .min(MINUTE_MS)
      .default(30 * DAY_MS),
    /** A session never lasts longer than this, however often it is used. */
    SESSION_AGE_MS_MAX: z.coerce
      .number()
      .int()
      .min(MINUTE_MS)
      .default(90 * DAY_MS),
    /** Whoever signs in once more ends their oldest session. */
    SESSIONS_OPEN_MAX: z.coerce.number().int().min(1).max(250).default(100),
    /** Whoever signed in no longer ago than this may delete their account without the password. */
    FRESH_LOG_IN_MS_MAX: z.coerce
      .number()
      .int()
      .min(0)
      .default(5 * MINUTE_MS),
    /**
     * Two tabs that refresh with one token at once get one successor. How long after the exchange that is still granted
     * to clients that cannot agree between their tabs; a thief has that time, too.
     */
    REFRESH_GRACE_MS: z.coerce.number().int().min(0).max(MINUTE_MS).default(0),
    LOG_IN_WINDOW_MS: z.coerce
      .number()
      .int()
      .min(1_000)
      .default(15 * MINUTE_MS),
    LOG_IN_FAILURES_PER_ACCOUNT_MAX: z.coerce.number().int().min(1).default(10),
    LOG_IN_FAILURES_PER_ADDRESS_MAX: z.coerce.number().int().min(1).default(100),
    /** Of bcrypt; each step doubles the work. Less than the default is for tests alone. */
    PASSWORD_HASH_COST: z.coerce.number().int().min(4).max(16).default(PASSWORD_HASH_COST_MIN),
    PASSWORD_HASHES_RUNNING_MAX: z.coerce.number().int().min(1).max(64).default(2),
    PASSWORD_HASHES_WAITING_MAX: z.coerce.number().int().min(0).max(10_000).default(40),
  },
  misfits,
);

function misfits(values: {
  readonly NODE_ENV: string;
  readonly PASSWORD_HASH_COST: number;
}): Record<string, string> {
  return values.NODE_ENV !== 'test' && values.PASSWORD_HASH_COST < PASSWORD_HASH_COST_MIN
    ? { PASSWORD_HASH_COST: `must be at least ${PASSWORD_HASH_COST_MIN}` }
    : {};
}
