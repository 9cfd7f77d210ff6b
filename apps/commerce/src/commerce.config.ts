import { z } from 'zod';
import { BASIS_POINTS } from '@atelier/kernel';
import { messagingEnvironment } from '@atelier/messaging';
import { persistenceEnvironment } from '@atelier/persistence';
import { defineConfig, type ConfigOf } from '@atelier/service';

const milliseconds = (min: number) => z.coerce.number().int().min(min);

/** Commerce's whole environment. */
export const commerceConfig = defineConfig('commerce', {
  ...persistenceEnvironment,
  ...messagingEnvironment,
  /** Where clients and payment providers reach the gateway. */
  PUBLIC_URL: z.url(),
  LEDGER_URL: z.url(),
  LEDGER_TIMEOUT_MS: milliseconds(100).default(3_000),
  LEDGER_RETRIES_MAX: z.coerce.number().int().min(0).max(5).default(2),
  /** The platform's share of every sale. */
  PLATFORM_FEE_BASIS_POINTS: z.coerce.number().int().min(0).max(BASIS_POINTS).default(2_000),
  /** A purchase that is not complete by then is given up, and its hold released. */
  PURCHASE_PENDING_MAX_MS: milliseconds(1_000).default(120_000),
  PURCHASE_SWEEP_MS: milliseconds(50).default(10_000),
  /** How soon a stored webhook event is found again by itself, after a crash or a failure. */
  WEBHOOK_SWEEP_MS: milliseconds(50).default(1_000),
  /** An attempt is one transaction. A replica that was killed in it keeps the payment waiting for so long. */
  WEBHOOK_LEASE_MS: milliseconds(1_000).default(10_000),
  /** Signs the sandbox provider's webhooks. */
  SANDBOX_WEBHOOK_SECRET: z.string().min(32),
  SANDBOX_WEBHOOK_TIMEOUT_MS: milliseconds(100).default(5_000),
});
export type CommerceConfig = ConfigOf<typeof commerceConfig>;
