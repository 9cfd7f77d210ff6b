import { newId } from '@atelier/kernel';
import { RegenerateShard } from '@atelier/ledger/regeneration/regenerate-shard.usecase';
import { monthOf, startOf } from '@atelier/ledger/regeneration/regeneration.domain';
import { LedgerBooks, type Movement } from './ledger-books.js';
import { ledgerCpu, startLedger, Writes } from './ledger-stage.js';
import { round } from './measure.js';
import type { BenchOptions, Figure, Report } from './report.js';
import { Rounds } from './rounds.js';
import { onStage } from './stage.js';

const ACCOUNTS = { short: 10_000, full: 20_000 };
/** The service's own default: what one replica leases at a time, and a round here. */
const SHARD_ACCOUNTS = 1_000;
const MILLION = 1_000_000;
const SECONDS_PER_HOUR = 3_600;
const GRANTED = 50;
const USED = 10;
const WHAT = { way: 'a shard of the monthly sweep' };

/** The monthly regeneration of many accounts by one replica, shard by shard. */
export function benchRegeneration({ full }: BenchOptions): Promise<Report> {
  const accounts = full ? ACCOUNTS.full : ACCOUNTS.short;
  return onStage({ only: [] }, async (stack) => {
    const ledger = await startLedger(stack.mongodbUri, 'bench_regeneration', {
      // The first self-check finds books that are still being filled, and would say so.
      LOG_LEVEL: 'fatal',
      REGENERATION_SHARD_ACCOUNTS: String(SHARD_ACCOUNTS),
    });
    try {
      await fill(new LedgerBooks(ledger), accounts);
      const writes = new Writes(ledger);
      const shards = ledger.app.get(RegenerateShard, { strict: false });
      const cpu = ledgerCpu(stack);
      const measured = new Rounds();
      for (let done = 0; done < accounts; done += SHARD_ACCOUNTS) {
        const spent = cpu();
        const from = performance.now();
        const shard = await shards.execute(nextMonth());
        const seconds = (performance.now() - from) / 1000;
        if (shard?.accounts !== SHARD_ACCOUNTS)
          throw new Error(`A shard was not whole: ${JSON.stringify(shard)}`);
        await writes.published();
        // The first one only warms up.
        if (done > 0)
          measured.add(WHAT, {
            'accounts per second': SHARD_ACCOUNTS / seconds,
            'CPU ms per account': msPerAccount(spent()),
          });
      }
      return {
        bench: 'regeneration',
        what:
          `The monthly sweep over ${accounts} accounts by one replica as it is configured, ${SHARD_ACCOUNTS} a shard; each account loses what ` +
          'it may not keep and is given its month. Medians of the shards (least–most).',
        rows: measured.rows(),
        rounds: measured.raw(),
        breakdown: [million(measured)],
        aims: [],
      };
    } finally {
      await ledger.close();
    }
  });
}

/** The month that has not turned yet, so that the ledger's own sweep leaves it alone. */
function nextMonth() {
  const now = new Date();
  return monthOf(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)));
}

/** Accounts with last month's credits. Every second one has used some, every second pair has a tier that keeps some. */
async function fill(books: LedgerBooks, accounts: number): Promise<void> {
  const lastRegeneratedAt = startOf(monthOf(new Date()));
  for (let number = 0; number < accounts; number++) {
    const movements = number % 2 === 0 ? [granted(lastRegeneratedAt)] : [granted(lastRegeneratedAt), used()];
    const tier = number % 4 < 2 ? 'free' : 'basic';
    await books.account(newId('usr'), movements, { lastRegeneratedAt, tier });
  }
  await books.flush();
}

const granted = (at: Date): Movement => movement(GRANTED, 'earn_regeneration', at);
const used = (): Movement => movement(-USED, 'spend_enhancement', new Date());

function movement(amount: number, type: Movement['type'], at: Date): Movement {
  const sourceId = newId('job');
  const others: Movement['others'] = [{ account: 'platform:promotions', asset: 'credits', amount: -amount }];
  return { amount, type, causeId: sourceId, sourceId, others, at };
}

/** Of the CPU seconds of a shard. */
const msPerAccount = (seconds: Figure): Figure =>
  typeof seconds === 'string' ? seconds : (1000 * seconds) / SHARD_ACCOUNTS;

/** What the medians mean for a million accounts. */
function million(measured: Rounds) {
  const perSecond = Number(measured.median(WHAT, 'accounts per second'));
  const cpuMs = measured.median(WHAT, 'CPU ms per account');
  return {
    accounts: MILLION,
    'hours by one replica': round(MILLION / perSecond / SECONDS_PER_HOUR, 2),
    'CPU hours': typeof cpuMs === 'string' ? cpuMs : round((MILLION * cpuMs) / 1000 / SECONDS_PER_HOUR, 2),
  };
}
