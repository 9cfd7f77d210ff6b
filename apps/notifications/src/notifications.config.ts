import { z } from 'zod';
import { messagingEnvironment } from '@atelier/messaging';
import { persistenceEnvironment } from '@atelier/persistence';
import { defineConfig } from '@atelier/service';

/** Between a claim and the end of its lease a delivery must fit, and the notes before and after it. */
const DELIVERIES_PER_LEASE_MIN = 2;

/** Everything that notifications reads from its environment. */
export const notificationsConfig = defineConfig(
  'notifications',
  {
    ...persistenceEnvironment,
    ...messagingEnvironment,

    /** `smtp://user:password@host:587` or `smtps://…`; without it, in development, e-mails go to the mailbox folder. */
    SMTP_URL: z
      .url({ protocol: /^smtps?$/ })
      .optional()
      .describe('where e-mail is handed over'),
    /** One `.eml` file per e-mail, for development. */
    MAILBOX_DIR: z.string().min(1).default('.data/mailbox'),
    MAIL_FROM: z.email().default('no-reply@atelier.example'),
    /** The gateway as people reach it; links in e-mails begin with it. */
    PUBLIC_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:8080'),
    /** Of connecting, and of every silence. */
    SMTP_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(10_000),
    /** Of one hand-over as a whole, waiting for a connection included. */
    SMTP_DELIVERY_TIMEOUT_MS: z.coerce.number().int().min(100).max(300_000).default(60_000),
    SMTP_CONNECTIONS_MAX: z.coerce.number().int().min(1).max(50).default(4),

    /** What is queued is sent at once, and a retry has a timer: a poll finds what other senders have left. */
    EMAIL_POLL_MS: z.coerce.number().int().min(10).max(60_000).default(5_000),
    /** Of one poll, and of what is sent at a time without one. */
    EMAIL_BATCH_MAX: z.coerce.number().int().min(1).max(500).default(20),
    /** An e-mail that its sender has not settled for this long is taken over by another. */
    EMAIL_LEASE_MS: z.coerce.number().int().min(200).max(600_000).default(120_000),
    EMAIL_ATTEMPTS_MAX: z.coerce.number().int().min(1).max(50).default(16),
    EMAIL_BACKOFF_BASE_MS: z.coerce.number().int().min(1).max(60_000).default(1_000),
    EMAIL_BACKOFF_MAX_MS: z.coerce.number().int().min(1).max(86_400_000).default(3_600_000),
  },
  ({ NODE_ENV, SMTP_URL, EMAIL_LEASE_MS, SMTP_DELIVERY_TIMEOUT_MS }) => ({
    // A misspelt key in a deployment must not look like mail that was sent.
    ...(NODE_ENV === 'production' && !SMTP_URL && { SMTP_URL: 'must be set in production' }),
    // Else a second sender would begin while the first is at it.
    ...(EMAIL_LEASE_MS < DELIVERIES_PER_LEASE_MIN * SMTP_DELIVERY_TIMEOUT_MS && {
      EMAIL_LEASE_MS: `must be at least ${DELIVERIES_PER_LEASE_MIN} times SMTP_DELIVERY_TIMEOUT_MS`,
    }),
  }),
);
