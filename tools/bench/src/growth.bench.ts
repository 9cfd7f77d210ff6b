import { growAccounts } from './growing-accounts.js';
import { growHistory } from './growing-history.js';
import { startLedger, Writes, type Queries } from './ledger-stage.js';
import { forSeconds } from './measure.js';
import type { Aim, BenchOptions, Report, Row } from './report.js';
import { Rounds } from './rounds.js';
import { onStage } from './stage.js';

const SIZES = [10_000, 100_000];
const SIZES_FULL = [...SIZES, 1_000_000];
const ROUNDS = 5;
const SECONDS = 0.5;
const WARM_UP_SECONDS = 0.5;
const AIM_RATIO = 1.5;
const P50 = 'p50 ms';

/** What grows: the number of accounts, or the history of one. */
const AXES = { accounts: growAccounts, history: growHistory } as const;
type Axis = keyof typeof AXES;

interface Books {
  readonly axis: Axis;
  readonly size: number;
  readonly queries: Queries;
  close(): Promise<void>;
}

/** The ledger's hot queries on books of 10 000 and 100 000 rows, with `--full` also of a million, in turns. */
export function benchGrowth({ full }: BenchOptions): Promise<Report> {
  const sizes = full ? SIZES_FULL : SIZES;
  return onStage({ only: [] }, async ({ mongodbUri }) => {
    const all: Books[] = [];
    try {
      for (const axis of Object.keys(AXES) as Axis[])
        for (const size of sizes) all.push(await grow(mongodbUri, axis, size));
      const measured = new Rounds();
      for (let round = 0; round <= ROUNDS; round++) {
        for (const { axis, size, queries } of all) {
          for (const [query, ask] of Object.entries(queries)) {
            // The first round only warms up.
            const { times } = await forSeconds(round === 0 ? WARM_UP_SECONDS : SECONDS, 1, ask);
            if (round > 0) measured.add(of(axis, query, size), { [P50]: times.quantile(0.5) });
          }
        }
        console.log(`round ${round} of ${ROUNDS}`);
      }
      return report(measured, all, sizes);
    } finally {
      for (const { close } of all) await close();
    }
  });
}

async function grow(mongodbUri: string, axis: Axis, size: number): Promise<Books> {
  // The first self-check finds books that are still being filled, and would say so.
  const ledger = await startLedger(mongodbUri, `bench_growth_${axis}_${size}`, { LOG_LEVEL: 'fatal' });
  const writes = new Writes(ledger);
  const close = async () => {
    await writes.published();
    await ledger.close();
  };
  const queries = await AXES[axis](ledger, writes, size);
  console.log(`${axis}: ${size} rows are there`);
  return { axis, size, queries, close };
}

const of = (grows: Axis, query: string, rows: number) => ({ grows, query, rows });

function report(measured: Rounds, all: readonly Books[], sizes: readonly number[]): Report {
  const asked = all
    .filter(({ size }) => size === sizes[0])
    .flatMap(({ axis, queries }) => Object.keys(queries).map((query) => ({ axis, query })));
  const p50 = (axis: Axis, query: string, size: number) =>
    Number(measured.median(of(axis, query, size), P50));
  const growth = (axis: Axis, query: string) => p50(axis, query, sizes.at(-1)!) / p50(axis, query, sizes[0]!);
  return {
    bench: 'growth',
    what:
      `The p50 of the ledger's hot queries in ms, as the number of accounts grows (a hundred entries each), and as the history of one ` +
      `grows; medians of ${ROUNDS} rounds of ${SECONDS} s (least–most), in turns.`,
    rows: asked.map(({ axis, query }): Row => ({
      ...{ grows: axis, query },
      ...Object.fromEntries(sizes.map((size) => [`at ${size}`, measured.range(of(axis, query, size), P50)])),
      growth: Number(growth(axis, query).toFixed(2)),
    })),
    rounds: measured.raw(),
    aims: asked.map(({ axis, query }): Aim => ({
      measure: `${axis}_${query.replaceAll(' ', '_')}`,
      ...{ value: growth(axis, query), unit: 'x', wanted: { atMost: AIM_RATIO } },
    })),
  };
}
