import { z } from 'zod';
import { messagingEnvironment } from '@atelier/messaging';
import { persistenceEnvironment } from '@atelier/persistence';
import { defineConfig, type ConfigOf } from '@atelier/service';
import type { Currency } from './journal/entry.domain.js';

const creditsPerTier = z.strictObject({
  free: z.int().min(0).max(1_000_000),
  basic: z.int().min(0).max(1_000_000),
  standard: z.int().min(0).max(1_000_000),
  premium: z.int().min(0).max(1_000_000),
});
const jsonOfTiers = z
  .string()
  .transform((text, refinement): unknown => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      refinement.addIssue({ code: 'custom', message: 'expected JSON like {"free":50,"basic":500,…}' });
      return z.NEVER;
    }
  })
  .pipe(creditsPerTier);

/** `USD:3,EUR:3`: whole minor units, so that a credit has one price and nothing is rounded. */
const ratesPerCredit = z
  .string()
  .regex(/^[A-Z]{3}:[1-9]\d{0,5}(,[A-Z]{3}:[1-9]\d{0,5})*$/, { error: 'expected pairs like USD:3,EUR:3' })
  .refine((text) => new Set(text.match(/[A-Z]{3}/g)).size === text.split(',').length, {
    error: 'names a currency twice',
  })
  .transform(
    (text): ReadonlyMap<Currency, number> =>
      new Map(
        text.split(',').map((pair) => {
          const [currency, units] = pair.split(':');
          return [currency as Currency, Number(units)];
        }),
      ),
  );

/** What the monthly regeneration reads; the command reads it without the rest. */
export const regenerationEnvironment = {
  /** What each tier is given at a month's turn, as JSON. */
  REGENERATION_CREDITS: jsonOfTiers.default({ free: 50, basic: 500, standard: 2_000, premium: 6_000 }),
  /** How many regenerated credits that were not used each tier may keep at a month's turn, as JSON. */
  REGENERATION_ROLLOVER_CREDITS_MAX: jsonOfTiers.default({
    free: 0,
    basic: 250,
    standard: 1_000,
    premium: 3_000,
  }),
  /** How many missed months an account is given afterwards; older ones are lost. */
  REGENERATION_CATCH_UP_MONTHS_MAX: z.coerce.number().int().min(1).max(120).default(12),
  /** Accounts of one shard: what one replica leases at a time. */
  REGENERATION_SHARD_ACCOUNTS: z.coerce.number().int().min(1).max(100_000).default(1_000),
  /** Accounts between two saves of a shard's cursor. */
  REGENERATION_BATCH_MAX: z.coerce.number().int().min(1).max(10_000).default(100),
  /** Accounts of a batch in work at the same time, in one transaction: what `group-commit.ts` takes at once. */
  REGENERATION_CONCURRENCY_MAX: z.coerce.number().int().min(1).max(64).default(32),
  /** Between two batches, so that people's requests come first. */
  REGENERATION_PAUSE_MS: z.coerce.number().int().min(0).max(60_000).default(20),
  /** After this long without a sign a shard's replica counts as dead, and another goes on at its cursor. */
  REGENERATION_LEASE_MS: z.coerce.number().int().min(10).max(3_600_000).default(60_000),
};

export const ledgerConfig = defineConfig(
  'ledger',
  {
    ...persistenceEnvironment,
    ...messagingEnvironment,
    /** What a person gets once, for registering; 0 opens the account empty. */
    STARTER_GRANT_CREDITS: z.coerce.number().int().min(0).max(100_000).default(50),
    /** How long a hold stands when the caller does not say. */
    HOLD_TTL_SECONDS: z.coerce.number().int().min(1).max(86_400).default(900),
    /** The longest that any hold may stand. */
    HOLD_TTL_SECONDS_MAX: z.coerce.number().int().min(1).max(86_400).default(86_400),
    /** What a person gets for each one they brought, once that one has paid; 0 grants nothing. */
    REFERRAL_GRANT_CREDITS: z.coerce.number().int().min(0).max(100_000).default(100),
    VOUCHER_SWEEP_INTERVAL_MS: z.coerce.number().int().min(10).max(3_600_000).default(60_000),
    /** Expired vouchers that one sweep writes down; what is left is taken up at once. */
    VOUCHER_SWEEP_BATCH_MAX: z.coerce.number().int().min(1).max(10_000).default(200),
    HOLD_SWEEP_INTERVAL_MS: z.coerce.number().int().min(10).max(600_000).default(5_000),
    /** Holds that one sweep ends side by side; what is left is taken up at once. */
    HOLD_SWEEP_BATCH_MAX: z.coerce.number().int().min(1).max(1_000).default(200),
    /** How old a sale must be to be paid out: until then it may be refunded. */
    EARNINGS_MATURE_DAYS: z.coerce.number().int().min(0).max(365).default(14),
    /** What sellers get for a credit, in minor units, per currency that is paid out. */
    PAYOUT_MINOR_UNITS_PER_CREDIT: ratesPerCredit.default(new Map([['USD', 3]] as const)),
    /** The least and the most that one payout may take. */
    PAYOUT_CREDITS_MIN: z.coerce.number().int().min(1).max(1_000_000).default(1_000),
    PAYOUT_CREDITS_MAX: z.coerce.number().int().min(1).max(100_000_000).default(1_000_000),
    /** How long after its verification a method is first paid to: time to notice one that somebody else added. */
    PAYOUT_METHOD_WAIT_SECONDS: z.coerce.number().int().min(0).max(2_592_000).default(86_400),
    /** Methods that a user has, and has deleted of those added within the window. */
    PAYOUT_METHODS_PER_USER_MAX: z.coerce.number().int().min(1).max(100).default(10),
    PAYOUT_METHODS_WINDOW_DAYS: z.coerce.number().int().min(0).max(365).default(30),
    /** Wrong codes after which a method is disabled. */
    PAYOUT_METHOD_CODES_MAX: z.coerce.number().int().min(1).max(20).default(5),
    /** 32 bytes in base64 that account numbers are sealed with; without it there are no transfers by bank file. */
    PAYOUT_ACCOUNT_KEY: z.base64().length(44).optional(),
    PAYOUT_SWEEP_INTERVAL_MS: z.coerce.number().int().min(10).max(600_000).default(5_000),
    /** Payouts that one sweep advances; what is left is taken up at once. */
    PAYOUT_SWEEP_BATCH_MAX: z.coerce.number().int().min(1).max(1_000).default(20),
    /** Payouts of a sweep in work at the same time. */
    PAYOUT_CONCURRENCY_MAX: z.coerce.number().int().min(1).max(64).default(4),
    /** How long a payout belongs to the replica that advances it: longer than a provider may take. */
    PAYOUT_LEASE_MS: z.coerce.number().int().min(10).max(3_600_000).default(60_000),
    PAYOUT_PROVIDER_TIMEOUT_MS: z.coerce.number().int().min(10).max(600_000).default(20_000),
    /** How often a provider is asked what became of a payment. */
    PAYOUT_POLL_INTERVAL_MS: z.coerce.number().int().min(10).max(86_400_000).default(10_000),
    /** The longest pause between two tries at a provider that does not answer. */
    PAYOUT_RETRY_MS_MAX: z.coerce.number().int().min(10).max(86_400_000).default(3_600_000),
    ...regenerationEnvironment,
    /** How often a replica looks whether a month has turned, or a shard was left behind. */
    REGENERATION_INTERVAL_MS: z.coerce.number().int().min(10).max(86_400_000).default(60_000),
    SELF_CHECK_INTERVAL_MS: z.coerce.number().int().min(10).max(86_400_000).default(60_000),
    /** Accounts that one self-check recomputes; the next goes on behind them. */
    SELF_CHECK_ACCOUNTS_MAX: z.coerce.number().int().min(1).max(10_000).default(50),
    /** How often the whole of the books is summed: it reads every balance and every entry. */
    SELF_CHECK_SUM_INTERVAL_MS: z.coerce.number().int().min(10).max(86_400_000).default(3_600_000),
  },
  misfits,
);
export type LedgerConfig = ConfigOf<typeof ledgerConfig>;

interface Limits {
  readonly HOLD_TTL_SECONDS: number;
  readonly HOLD_TTL_SECONDS_MAX: number;
  readonly PAYOUT_CREDITS_MIN: number;
  readonly PAYOUT_CREDITS_MAX: number;
  readonly PAYOUT_LEASE_MS: number;
  readonly PAYOUT_PROVIDER_TIMEOUT_MS: number;
}
/** Values that are right by themselves and not beside the others. */
function misfits(values: Limits): Record<string, string> {
  const found: Record<string, string> = {};
  if (values.HOLD_TTL_SECONDS > values.HOLD_TTL_SECONDS_MAX)
    found['HOLD_TTL_SECONDS'] = 'must be at most HOLD_TTL_SECONDS_MAX';
  if (values.PAYOUT_CREDITS_MIN > values.PAYOUT_CREDITS_MAX)
    found['PAYOUT_CREDITS_MIN'] = 'must be at most PAYOUT_CREDITS_MAX';
  // A lease that ends before the provider has answered lets a second replica pay.
  if (values.PAYOUT_LEASE_MS <= values.PAYOUT_PROVIDER_TIMEOUT_MS)
    found['PAYOUT_LEASE_MS'] = 'must be longer than PAYOUT_PROVIDER_TIMEOUT_MS';
  return found;
}
