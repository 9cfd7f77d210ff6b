import { z } from 'zod';
import { messagingEnvironment } from '@atelier/messaging';
import { persistenceEnvironment } from '@atelier/persistence';
import { defineConfig } from '@atelier/service';

const MEBIBYTE = 1_048_576;

/** Everything that studio reads from its environment. */
export const studioConfig = defineConfig('studio', {
  ...persistenceEnvironment,
  ...messagingEnvironment,

  LEDGER_URL: z.url().default('http://127.0.0.1:8084').describe('where holds are placed'),
  LEDGER_TIMEOUT_MS: z.coerce.number().int().min(50).max(30_000).default(3_000),

  OBJECT_STORE: z.enum(['folder', 'gridfs']).default('folder'),
  /** For the folder; every replica must see the same one. */
  OBJECTS_DIR: z.string().min(1).default('.data/objects'),

  IMAGE_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(1_024)
    .max(128 * MEBIBYTE)
    .default(20 * MEBIBYTE),
  IMAGE_PIXELS_MAX: z.coerce.number().int().min(1).max(268_435_456).default(40_000_000),

  /** Jobs that this process runs at once. 0 makes a replica that only answers requests. */
  JOBS_AT_ONCE_MAX: z.coerce.number().int().min(0).max(64).default(2),
  JOB_POLL_MS: z.coerce.number().int().min(10).max(60_000).default(500),
  /** A worker that does not renew its lease for this long is taken for dead. */
  JOB_LEASE_MS: z.coerce.number().int().min(300).max(600_000).default(15_000),
  /** How long one attempt may take. */
  JOB_ATTEMPT_TIMEOUT_MS: z.coerce.number().int().min(100).max(3_600_000).default(120_000),
  /** How long a job may take in all, waiting included; its hold stands a little longer. */
  JOB_DEADLINE_MS: z.coerce.number().int().min(1_000).max(82_800_000).default(3_600_000),
  /** An intent whose hold was neither granted nor refused for this long is given up. */
  JOB_INTENT_TTL_MS: z.coerce.number().int().min(100).max(3_600_000).default(120_000),
  JOB_SWEEP_MS: z.coerce.number().int().min(10).max(600_000).default(5_000),
  JOB_BACKOFF_BASE_MS: z.coerce.number().int().min(1).max(60_000).default(1_000),

  /** Of this process, and of one user in it. */
  JOB_STREAMS_MAX: z.coerce.number().int().min(0).max(10_000).default(200),
  JOB_STREAMS_PER_USER_MAX: z.coerce.number().int().min(1).max(1_000).default(10),
  JOB_STREAM_POLL_MS: z.coerce.number().int().min(10).max(10_000).default(250),
  JOB_STREAM_HEARTBEAT_MS: z.coerce.number().int().min(10).max(60_000).default(15_000),
  JOB_STREAM_DURATION_MAX_MS: z.coerce.number().int().min(100).max(3_600_000).default(600_000),

  /** `local` needs no key and no network; `gemini` asks Google's model. */
  MODEL_PROVIDER: z.enum(['local', 'gemini']).default('local'),
  GEMINI_URL: z.url().default('https://generativelanguage.googleapis.com'),
  GEMINI_API_KEY: z.string().min(1).optional(),
  GEMINI_MODEL: z.string().min(1).max(100).default('gemini-3-pro-image-preview'),
  GEMINI_TEMPERATURE: z.coerce.number().min(0).max(2).default(0.4),
});
