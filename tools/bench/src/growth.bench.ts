import { newId, type Context, type Id } from '@atelier/kernel';
import { AccountRepository } from '@atelier/ledger/accounts/account.repository';
import { ReadStatement } from '@atelier/ledger/accounts/read-statement.usecase';
import { Database } from '@atelier/persistence';
import { startLedger, withInfrastructure, Writes } from './ledger-stage.js';
import { forSeconds, median, round } from './measure.js';
import type { BenchOptions, Report } from './report.js';

const SIZES = [10_000, 100_000];
const SIZES_FULL = [...SIZES, 1_000_000];
const ENTRIES_PER_ACCOUNT = 100;
const ROUNDS = 5;
const SECONDS = 1;
const WARM_UP_SECONDS = 1;
const INSERT_BATCH = 1_000;
const PAGE_LIMIT = 20;
const AIM_RATIO = 1.5;

interface Books {
  readonly entries: number;
  readonly queries: Readonly<Record<string, () => Promise<unknown>>>;
  readonly p50s: Map<string, number[]>;
  close(): Promise<void>;
}

/** The ledger's hot queries on books of 10 000 and 100 000 entries, with `--full` also of a million, in turns. */
export function benchGrowth({ full }: BenchOptions): Promise<Report> {
  return withInfrastructure(async ({ mongodbUri }) => {
    const books: Books[] = [];
    try {
      for (const entries of full ? SIZES_FULL : SIZES) {
        books.push(await grow(mongodbUri, entries));
        console.log(`${entries} entries are there`);
      }
      for (const { queries } of books)
        for (const query of Object.values(queries)) await forSeconds(WARM_UP_SECONDS, 1, query);
      for (let done = 0; done < ROUNDS; done++) {
        for (const { queries, p50s } of books) {
          for (const [name, query] of Object.entries(queries)) {
            const { times } = await forSeconds(SECONDS, 1, query);
            p50s.set(name, [...(p50s.get(name) ?? []), times.quantile(0.5)]);
          }
        }
      }
      return report(books);
    } finally {
      for (const { close } of books) await close();
    }
  });
}

async function grow(mongodbUri: string, entries: number): Promise<Books> {
  // The first self-check finds books that are still being filled, and would say so.
  const ledger = await startLedger(mongodbUri, `bench_growth_${entries}`, { LOG_LEVEL: 'fatal' });
  const { app } = ledger;
  const writes = new Writes(ledger);
  const accounts = Array.from({ length: entries / ENTRIES_PER_ACCOUNT }, () => newId('usr'));
  const { connection } = app.get(Database, { strict: false });
  for (let at = 0; at < accounts.length; at += INSERT_BATCH / ENTRIES_PER_ACCOUNT) {
    const rows = accounts.slice(at, at + INSERT_BATCH / ENTRIES_PER_ACCOUNT).map(rowsOf);
    for (const name of ['credit_balances', 'journal_entries', 'credit_transactions'] as const)
      await connection.collection(name).insertMany(rows.flatMap((of): object[] => of[name]));
  }
  const pick = () => accounts[Math.floor(Math.random() * accounts.length)]!;
  const balances = app.get(AccountRepository, { strict: false });
  const statement = app.get(ReadStatement, { strict: false });
  return {
    entries,
    p50s: new Map(),
    queries: {
      'read a balance': () => balances.load(pick()),
      'read a statement page': () => statement.execute({ limit: PAGE_LIMIT }, contextOf(pick())),
      'place a hold': () => writes.hold(pick()),
      'post an entry': () => writes.spend(pick()),
    },
    close: async () => {
      await writes.published();
      await ledger.close();
    },
  };
}

/** An account's rows as posting would have left them. Their hashes are not chained: nothing verifies them here. */
function rowsOf(userId: Id<'usr'>) {
  const now = Date.now();
  const entries = Array.from({ length: ENTRIES_PER_ACCOUNT }, (_, index) => {
    const [entryId, sourceId] = [newId('jrn'), newId('pay')];
    const createdAt = new Date(now - (ENTRIES_PER_ACCOUNT - index) * 1000);
    const sequence = index + 1;
    const hash = entryId.repeat(3).slice(0, 64);
    const account = `user:${userId}`;
    return {
      row: {
        _id: entryId,
        causeId: sourceId,
        sourceId,
        postings: [
          { account: 'platform:clearing', asset: 'credits', amount: -1000 },
          { account, asset: 'credits', amount: 1000, type: 'earn_purchase' },
        ],
        links: [{ account, sequence, previousHash: hash }],
        correlationId: sourceId,
        createdAt,
        hash,
      },
      line: {
        _id: newId('crt'),
        ...{ userId, type: 'earn_purchase', amount: 1000, balanceAfter: 1000 * sequence },
        ...{ sourceId, entryId, sequence, createdAt },
      },
    };
  });
  const last = entries.at(-1)!.row;
  const settled = 1000 * ENTRIES_PER_ACCOUNT;
  const at = new Date(now);
  const balance = {
    _id: userId,
    ...{ settled, held: 0, available: settled, tier: 'free', lastRegeneratedAt: at },
    ...{ perishable: 0, perishableSince: 0, sequence: ENTRIES_PER_ACCOUNT, version: ENTRIES_PER_ACCOUNT },
    ...{ lastEntryId: last._id, lastHash: last.hash, createdAt: at, updatedAt: at },
  };
  return {
    credit_balances: [balance],
    journal_entries: entries.map(({ row }) => row),
    credit_transactions: entries.map(({ line }) => line),
  };
}

const contextOf = (userId: Id<'usr'>): Context => {
  const id = newId('req');
  return { actor: { kind: 'user', id: userId, role: 'user' }, correlationId: id, causationId: id };
};

function report(books: readonly Books[]): Report {
  const [smallest] = books;
  const p50 = ({ p50s }: Books, name: string) => median(p50s.get(name) ?? []);
  const names = Object.keys(smallest!.queries);
  const growth = (name: string) => p50(books.at(-1)!, name) / p50(smallest!, name);
  return {
    bench: 'growth',
    what: `The p50 of the ledger's hot queries as its books grow; medians of ${ROUNDS} rounds of ${SECONDS} s, in turns.`,
    rows: names.map((name) => ({
      query: name,
      ...Object.fromEntries(books.map((of) => [`ms at ${of.entries} entries`, round(p50(of, name), 2)])),
      growth: round(growth(name), 2),
    })),
    aims: names.map((name) => ({
      measure: name.replaceAll(' ', '_'),
      value: round(growth(name), 2),
      unit: 'x',
      wanted: { atMost: AIM_RATIO },
    })),
  };
}
