import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { ensureDocumentDb, underLoader } from '@atelier/documentdb/setup';
import type { Stack } from '@atelier/stack';
import { readSetup } from '@atelier/stack/checkout';
import { Samples, type Done } from './measure.js';
import { commandLinesOfTree } from './processes.js';

const DATABASE = 'bench_postgres';
const THREADS_MAX = 2;
/** Beyond the seconds that it is to run: connecting, and the last transactions. */
const GRACE_MS = 30_000;

/** Account 0 is the platform's. It has entries and no balance, as ours: one row that everybody writes would be hot. */
const TABLES = `
  CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
  CREATE TABLE entries (
    id bigserial PRIMARY KEY, cause uuid NOT NULL, account int NOT NULL, amount bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (cause, account));
  CREATE INDEX ON entries (account, id);`;
const SEED_ACCOUNTS =
  'INSERT INTO accounts SELECT id, $2::bigint * $3::int FROM generate_series(1, $1::int) AS id';
const SEED_ENTRIES = `
  WITH causes AS (SELECT gen_random_uuid() AS cause, account FROM generate_series(1, $1::int) AS account, generate_series(1, $3::int))
  INSERT INTO entries (cause, account, amount)
    SELECT cause, account, $2::bigint FROM causes UNION ALL SELECT cause, 0, -$2::bigint FROM causes`;
const WITHDRAW = `
\\set account random(1, :accounts)
BEGIN;
UPDATE accounts SET balance = balance - 1 WHERE id = :account;
WITH cause AS (SELECT gen_random_uuid() AS id)
INSERT INTO entries (cause, account, amount)
  SELECT id, :account, -1 FROM cause UNION ALL SELECT id, 0, 1 FROM cause;
COMMIT;
`;

/** The reference: double entry in two tables on the PostgreSQL below the document database, by its own pgbench. */
export class Postgres {
  private readonly folder = mkdtempSync(join(tmpdir(), 'atelier-pgbench-'));

  private constructor(
    private readonly port: number,
    private readonly root: string,
    private readonly bin: string,
  ) {
    writeFileSync(this.script, WITHDRAW);
  }

  /** Undefined when the database is not the embedded one: there is no PostgreSQL then. */
  static async of({ pids }: Stack, seed: Parameters<Postgres['seed']>[0]): Promise<Postgres | undefined> {
    const { engine } = readSetup();
    if (pids['mongodb'] === undefined || engine?.kind !== 'documentdb') return undefined;
    const { root, bin } = await ensureDocumentDb({ cacheDir: engine.cacheDir });
    const postgres = new Postgres(portOf(pids['mongodb']), root, bin);
    await postgres.seed(seed);
    return postgres;
  }

  /** Withdrawals from accounts 1 to `accounts` by so many clients for so long. */
  async withdraw(accounts: number, clients: number, seconds: number): Promise<Done> {
    const { command, args } = underLoader(this.root);
    const flags = {
      ...{ '-h': '127.0.0.1', '-p': this.port, '-U': 'postgres', '-M': 'prepared', '-f': this.script },
      ...{ '-c': clients, '-j': Math.min(THREADS_MAX, clients), '-T': seconds, '-D': `accounts=${accounts}` },
    };
    const list = Object.entries(flags).flatMap(([flag, value]) => [flag, String(value)]);
    const pgbench = [...args, join(this.bin, 'pgbench'), ...list, '-n', '-l', DATABASE];
    const timeout = seconds * 1000 + GRACE_MS;
    const { stdout } = await promisify(execFile)(command, pgbench, { cwd: this.folder, timeout });
    const [, perSecond] = /^tps = ([\d.]+)/m.exec(stdout) ?? [];
    const times = this.takeTimes();
    return { count: times.count, seconds: times.count / Number(perSecond), times };
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get script(): string {
    return join(this.folder, 'withdraw.sql');
  }

  private async seed(books: {
    readonly accounts: number;
    readonly deposit: number;
    readonly deposits: number;
  }): Promise<void> {
    await this.connected('postgres', (client) => client.query(`CREATE DATABASE ${DATABASE}`));
    await this.connected(DATABASE, async (client) => {
      const values = [books.accounts, books.deposit, books.deposits];
      await client.query(TABLES);
      await client.query(SEED_ACCOUNTS, values);
      await client.query(SEED_ENTRIES, values);
      await client.query('ANALYZE');
    });
  }

  private async connected(database: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.port, user: 'postgres', database });
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.end();
    }
  }

  /** Reads and removes pgbench's logs: a line per transaction, its third field the microseconds it took. */
  private takeTimes(): Samples {
    const times = new Samples();
    for (const name of readdirSync(this.folder).filter((file) => file.startsWith('pgbench_log.'))) {
      const file = join(this.folder, name);
      for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean))
        times.add(Number(line.split(' ')[2]) / 1000);
      rmSync(file);
    }
    return times;
  }
}

/** Nobody outside of the adapter is told the port; the server has it among its arguments. */
function portOf(mongodb: number): number {
  const argument = commandLinesOfTree(mongodb)
    .flat()
    .find((each) => /^port=\d+$/.test(each));
  if (!argument) throw new Error('The PostgreSQL below the document database was not found.');
  return Number(argument.slice('port='.length));
}
