import { z } from 'zod';

/** The part of a service's environment that messaging reads. */
export const messagingEnvironment = {
  KAFKA_BROKERS: z
    .string()
    .min(1)
    .describe('host:port, several with commas; "memory" for the in-memory bus in tests'),
  KAFKA_REPLICATION_FACTOR: z.coerce.number().int().min(1).max(9).default(1),
  CONSUMER_SESSION_TIMEOUT_MS: z.coerce.number().int().min(1_000).default(10_000),
  CONSUMER_ATTEMPTS_MAX: z.coerce.number().int().min(1).max(20).default(6),
  CONSUMER_BACKOFF_BASE_MS: z.coerce.number().int().min(1).default(50),
  CONSUMER_KEYS_IN_FLIGHT_MAX: z.coerce.number().int().min(1).max(64).default(8),
  // Also how often a member says that it is alive: well within the shortest session that a broker allows (6 s).
  CONSUMER_COMMIT_EVERY_MS: z.coerce.number().int().min(50).max(2_000).default(500),
  CONSUMER_OUTAGE_PAUSE_MS: z.coerce.number().int().min(50).default(500),
  CONSUMER_STUCK_MS: z.coerce.number().int().min(1_000).default(30_000),
  // With the shutdown it stays below a minute (promise 16).
  CONSUMER_STUCK_EXIT_MS: z.coerce.number().int().min(1_000).default(45_000),
  OUTBOX_SWEEP_MS: z.coerce.number().int().min(10).max(1_000).default(1_000),
  OUTBOX_LEASE_MS: z.coerce.number().int().min(1_000).default(10_000),
  OUTBOX_BATCH_MAX: z.coerce.number().int().min(1).max(10_000).default(500),
  // Below the broker's message.max.bytes (1 MiB), which holds for what one send has for one partition.
  OUTBOX_BATCH_BYTES_MAX: z.coerce.number().int().min(1_024).max(64_000_000).default(786_432),
};
export const messagingEnvironmentSchema = z.object(messagingEnvironment);
export type MessagingEnvironment = z.infer<typeof messagingEnvironmentSchema>;
