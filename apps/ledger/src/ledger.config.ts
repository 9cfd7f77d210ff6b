import { z } from 'zod';
import { messagingEnvironment } from '@atelier/messaging';
import { persistenceEnvironment } from '@atelier/persistence';
import { defineConfig, serviceEnvironment, type ConfigOf } from '@atelier/service';

export const ledgerConfig = defineConfig('ledger', {
  ...serviceEnvironment,
  ...persistenceEnvironment,
  ...messagingEnvironment,
  /** What a person gets once, for registering; 0 opens the account empty. */
  STARTER_GRANT_CREDITS: z.coerce.number().int().min(0).max(100_000).default(50),
  /** How long a hold stands when the caller does not say. */
  HOLD_TTL_SECONDS: z.coerce.number().int().min(1).max(86_400).default(900),
  /** The longest that any hold may stand. */
  HOLD_TTL_SECONDS_MAX: z.coerce.number().int().min(1).max(86_400).default(86_400),
  HOLD_SWEEP_INTERVAL_MS: z.coerce.number().int().min(10).max(600_000).default(5_000),
  /** Holds that one sweep looks at; what is left waits for the next. */
  HOLD_SWEEP_BATCH_MAX: z.coerce.number().int().min(1).max(10_000).default(200),
});
export type LedgerConfig = ConfigOf<typeof ledgerConfig>;
