import { newId, type Id } from '@atelier/kernel';
import { ledgerCpu, notOnMongod, startLedger, Writes } from './ledger-stage.js';
import { forSeconds, withClients, type Done } from './measure.js';
import { Medici } from './medici.js';
import { Postgres } from './postgres.js';
import { perCpuSecond, type Aim, type BenchOptions, type Figure, type Report } from './report.js';
import { Rounds } from './rounds.js';
import { onStage } from './stage.js';

const ACCOUNTS = 1_000;
/** What the books hold before the clock runs, in all: an empty ledger is nobody's. */
const HISTORY_ENTRIES_PER_ACCOUNT = 5;
const DEPOSIT = 1_000_000;
const SEED_CLIENTS = 16;
const ROUNDS = { short: 5, full: 9 };
const SECONDS = { short: 2, full: 5 };
const WARM_UP_SECONDS = 1;
const CLIENTS = [1, 8, 32] as const;
const SPREADS = { uniform: ACCOUNTS, hot: 1 } as const;

interface Way {
  readonly way: 'entry' | 'hold + capture' | 'medici' | 'postgres';
  /** Withdrawals from the first `accounts` of all, by so many clients for so long. */
  readonly run: (accounts: number, clients: number, seconds: number) => Promise<Done>;
}
const of = (way: Way['way'], accounts: number, clients: number) => ({ way, accounts, clients });

/** Entries of ours, of medici and of plain SQL, in turns, by 1, 8 and 32 clients, on many accounts and on one. */
export function benchLedger({ full }: BenchOptions): Promise<Report> {
  const rounds = full ? ROUNDS.full : ROUNDS.short;
  const seconds = full ? SECONDS.full : SECONDS.short;
  return onStage({ only: [] }, async (stack) => {
    const ledger = await startLedger(stack.mongodbUri, 'bench_ledger');
    const medici = await Medici.connect(stack.mongodbUri, 'bench_medici');
    const books = { accounts: ACCOUNTS, deposit: DEPOSIT, deposits: HISTORY_ENTRIES_PER_ACCOUNT };
    const postgres = await Postgres.of(stack, books);
    try {
      const writes = new Writes(ledger);
      const accounts = Array.from({ length: ACCOUNTS }, () => newId('usr'));
      await seed(accounts, writes, medici);
      const each = (once: (account: Id<'usr'>) => Promise<void>): Way['run'] => {
        const pick = (count: number) => accounts[Math.floor(Math.random() * count)]!;
        return (count, clients, time) => forSeconds(time, clients, () => once(pick(count)));
      };
      const ways: readonly Way[] = [
        { way: 'entry', run: each((account) => writes.spend(account)) },
        { way: 'hold + capture', run: each((account) => writes.holdAndCapture(account)) },
        { way: 'medici', run: each((account) => medici.withdraw(account, 1)) },
        ...(postgres ? [{ way: 'postgres' as const, run: postgres.withdraw.bind(postgres) }] : []),
      ];
      const cpu = ledgerCpu(stack);
      const measured = new Rounds();
      for (let round = 0; round <= rounds; round++) {
        for (const { way, run, count, clients } of turns(ways)) {
          const spent = cpu();
          // The first round only warms up.
          const done = await run(count, clients, round === 0 ? WARM_UP_SECONDS : seconds);
          // The facts are part of our work: the relay's share is counted, and does not run into the next turn.
          await writes.published();
          if (round === 0) continue;
          measured.add(of(way, count, clients), {
            'per second': done.count / done.seconds,
            'per CPU second': perCpuSecond(done.count, spent()),
            'p50 ms': done.times.quantile(0.5),
          });
        }
        console.log(`round ${round} of ${rounds}`);
      }
      const others = postgres ? 'medici and plain SQL' : 'medici';
      return {
        bench: 'ledger',
        what:
          `Durable entries on ${ACCOUNTS} accounts with ${HISTORY_ENTRIES_PER_ACCOUNT} entries each before, and on one of them; ` +
          `medians of ${rounds} rounds of ${seconds} s (least–most), in turns with ${others} on the same database.`,
        rows: measured.rows(),
        rounds: measured.raw(),
        aims: aims(measured, await notOnMongod(ledger)),
      };
    } finally {
      postgres?.close();
      await ledger.close();
      // Closes every connection of mongoose, so it comes last.
      await medici.close();
    }
  });
}

const turns = (ways: readonly Way[]) =>
  Object.values(SPREADS).flatMap((count) =>
    CLIENTS.flatMap((clients) => ways.map((way) => ({ ...way, count, clients }))),
  );

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

function aims(measured: Rounds, notMongod: Figure | undefined): Aim[] {
  const { uniform, hot } = SPREADS;
  const perSecond = (way: Way['way'], accounts: number, clients: number) =>
    Number(measured.median(of(way, accounts, clients), 'per second'));
  const times = (name: string, value: number, atLeast: number): Aim => ({
    measure: name,
    ...{ value, unit: 'x', wanted: { atLeast } },
  });
  return [
    ...CLIENTS.flatMap((clients) => {
      const medici = perSecond('medici', uniform, clients);
      return [
        times(`entry_times_medici_${clients}`, perSecond('entry', uniform, clients) / medici, 5),
        times(
          `hold_and_capture_times_medici_${clients}`,
          perSecond('hold + capture', uniform, clients) / medici,
          5,
        ),
      ];
    }),
    ...CLIENTS.map((clients) => {
      const ratio = perSecond('entry', hot, clients) / perSecond('entry', uniform, clients);
      return times(`hot_times_uniform_${clients}`, ratio, 0.5);
    }),
    {
      measure: 'entries_per_second_on_mongod',
      value: notMongod ?? Math.max(...CLIENTS.map((clients) => perSecond('entry', uniform, clients))),
      unit: '/s',
      wanted: { atLeast: 1000 },
    },
  ];
}
