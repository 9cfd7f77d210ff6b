import { newId, type Id } from '@atelier/kernel';
import { startLedger, withInfrastructure, Writes } from './ledger-stage.js';
import { cpuSecondsOfTree, forSeconds, median, round, withClients } from './measure.js';
import { Medici } from './medici.js';
import type { Aim, BenchOptions, Report } from './report.js';

const ACCOUNTS = 1_000;
/** What the books hold before the clock runs, in both: an empty ledger is nobody's. */
const HISTORY_ENTRIES_PER_ACCOUNT = 5;
const DEPOSIT = 1_000_000;
const SEED_CLIENTS = 16;
const ROUNDS = { short: 5, full: 9 };
const SECONDS = { short: 2, full: 5 };
const CLIENTS = [1, 8, 32] as const;
const SPREADS = ['uniform', 'hot'] as const;

type Spread = (typeof SPREADS)[number];
interface Way {
  readonly name: 'entry' | 'hold + capture' | 'medici';
  readonly once: (account: Id<'usr'>) => Promise<void>;
}
interface Result {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly p50Ms: number;
}

/** Entries of ours and of medici on one database, in turns, by 1, 8 and 32 clients, on many accounts and on one. */
export function benchLedger({ full }: BenchOptions): Promise<Report> {
  const rounds = full ? ROUNDS.full : ROUNDS.short;
  const seconds = full ? SECONDS.full : SECONDS.short;
  return withInfrastructure(async ({ mongodbUri, pids }) => {
    const ledger = await startLedger(mongodbUri, 'bench_ledger');
    const medici = await Medici.connect(mongodbUri, 'bench_medici');
    try {
      const writes = new Writes(ledger);
      const accounts = Array.from({ length: ACCOUNTS }, () => newId('usr'));
      await seed(accounts, writes, medici);
      const ways: readonly Way[] = [
        { name: 'entry', once: (account) => writes.spend(account) },
        { name: 'hold + capture', once: (account) => writes.holdAndCapture(account) },
        { name: 'medici', once: (account) => medici.withdraw(account, 1) },
      ];
      const cpu = () => cpuSecondsOfTree(pids['mongodb']!) + ownCpuSeconds();
      const results = new Map<string, Result[]>();
      for (let round = 0; round <= rounds; round++) {
        for (const spread of SPREADS) {
          for (const clients of CLIENTS) {
            for (const way of ways) {
              const cpuBefore = cpu();
              const done = await forSeconds(seconds, clients, () => way.once(pick(accounts, spread)));
              // The facts are part of our work: the relay's share is counted, and does not run into the next turn.
              await writes.published();
              // The first round only warms up.
              if (round === 0) continue;
              const key = keyOf(way.name, spread, clients);
              const result = {
                perSecond: done.count / done.seconds,
                perCpuSecond: done.count / (cpu() - cpuBefore),
                p50Ms: done.times.quantile(0.5),
              };
              results.set(key, [...(results.get(key) ?? []), result]);
            }
          }
        }
        console.log(`round ${round} of ${rounds}`);
      }
      return report(results, rounds, seconds);
    } finally {
      await medici.close();
      await ledger.close();
    }
  });
}

async function seed(accounts: readonly Id<'usr'>[], writes: Writes, medici: Medici): Promise<void> {
  for (let entry = 0; entry < HISTORY_ENTRIES_PER_ACCOUNT; entry++) {
    await withClients(accounts, SEED_CLIENTS, async (account) => {
      await writes.grant(account, DEPOSIT);
      await medici.deposit(account, DEPOSIT);
    });
  }
  await withClients(accounts, SEED_CLIENTS, (account) => medici.prepareLock(account));
  await writes.published();
}

const pick = (accounts: readonly Id<'usr'>[], spread: Spread): Id<'usr'> =>
  accounts[spread === 'hot' ? 0 : Math.floor(Math.random() * accounts.length)]!;

const keyOf = (way: Way['name'], spread: Spread, clients: number) => `${way}/${spread}/${clients}`;

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

function report(results: ReadonlyMap<string, readonly Result[]>, rounds: number, seconds: number): Report {
  const of = (way: Way['name'], spread: Spread, clients: number, what: keyof Result = 'perSecond') =>
    results.get(keyOf(way, spread, clients))!.map((result) => result[what]);
  const times = (ours: Way['name'], clients: number) =>
    median(of(ours, 'uniform', clients)) / median(of('medici', 'uniform', clients));
  const rows = [...results.entries()].map(([key, all]) => {
    const [way = '', spread = '', clients = ''] = key.split('/');
    const rates = all.map(({ perSecond }) => perSecond);
    return {
      way,
      accounts: spread === 'hot' ? 1 : ACCOUNTS,
      clients: Number(clients),
      'per second': round(median(rates)),
      min: round(Math.min(...rates)),
      max: round(Math.max(...rates)),
      'per CPU second': round(median(all.map(({ perCpuSecond }) => perCpuSecond))),
      'p50 ms': round(median(all.map(({ p50Ms }) => p50Ms))),
    };
  });
  const aims: Aim[] = [
    ...CLIENTS.flatMap((clients) => [
      aim(`entry_times_medici_${clients}`, times('entry', clients), 'x', 5),
      aim(`hold_and_capture_times_medici_${clients}`, times('hold + capture', clients), 'x', 5),
    ]),
    ...CLIENTS.map((clients) =>
      aim(
        `hot_times_uniform_${clients}`,
        median(of('entry', 'hot', clients)) / median(of('entry', 'uniform', clients)),
        'x',
        0.5,
      ),
    ),
    aim('entries_per_second', Math.max(...CLIENTS.map((c) => median(of('entry', 'uniform', c)))), '/s', 1000),
  ];
  return {
    bench: 'ledger',
    what:
      `Durable entries on ${ACCOUNTS} accounts with ${HISTORY_ENTRIES_PER_ACCOUNT} entries each before, and on one of them; ` +
      `medians of ${rounds} rounds of ${seconds} s, in turns with medici on the same database.`,
    rows,
    aims,
  };
}

const aim = (measure: string, value: number, unit: string, atLeast: number): Aim => ({
  measure,
  value: round(value, unit === 'x' ? 2 : 0),
  unit,
  wanted: { atLeast },
});
