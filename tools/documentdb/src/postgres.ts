import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { connection } from './cluster.js';
import { isLostConnection } from './errors.js';

/** Connections for transactions, and for everything else. One pool for both would deadlock: a transaction's
 *  callback may wait for an operation outside its session, which waits for a connection. */
export const transactionConnectionsMax = 10;
export const generalConnectionsMax = 6;

/** How long a command waits for a free connection. */
const connectionWaitMs = 10_000;
/** How long a command waits for a server that refuses connections, and how often it asks. */
const restartWaitMs = 6_000;
const restartPollMs = 50;
/** How long open connections are waited for at the end. */
const closeMs = 5_000;
/** Limit of one statement when the client set none. */
export const statementMs = 60_000;
/** How long a write in a transaction waits for a lock before it is a write conflict. */
const transactionLockMs = 20;
/** How long any other write waits for a lock. */
const lockMs = 10_000;

/** A statement that PostgreSQL prepares once per connection. */
export interface Statement {
  name: string;
  text: string;
}

export type Client = pg.ClientBase;
export type Row = unknown[];

/** Names a statement for preparation. */
export const statement = (name: string, text: string): Statement => ({ name, text });

/** Runs a prepared statement; rows come as arrays in the order of the columns. */
export async function query(
  client: Client | pg.Pool,
  { name, text }: Statement,
  values: unknown[],
): Promise<Row[]> {
  const result = await client.query<Row>({ name, text, values, rowMode: 'array' });
  return result.rows;
}

/** A connection of the pool. Waits a few seconds for a server that restarts, instead of failing each command. */
export async function acquire(pool: pg.Pool): Promise<pg.PoolClient> {
  for (const end = Date.now() + restartWaitMs; ;) {
    try {
      return await pool.connect();
    } catch (error) {
      if (!isLostConnection(error) || Date.now() > end) throw error;
      await sleep(restartPollMs);
    }
  }
}

/** The two pools of the adapter. */
export class Postgres {
  readonly general: pg.Pool;
  readonly transactions: pg.Pool;

  constructor(readonly port: number) {
    this.general = pool(port, generalConnectionsMax, lockMs, 'read committed');
    this.transactions = pool(port, transactionConnectionsMax, transactionLockMs, 'repeatable read');
  }

  /** What still has a connection after that long loses it with the server. */
  async close(): Promise<void> {
    const ended = Promise.all([this.general.end(), this.transactions.end()]);
    await Promise.race([ended, sleep(closeMs, undefined, { ref: false })]);
  }
}

function pool(port: number, max: number, lockTimeoutMs: number, isolation: string): pg.Pool {
  const settings = {
    search_path: 'documentdb_api_catalog,documentdb_api,public',
    client_min_messages: 'error',
    lock_timeout: String(lockTimeoutMs),
    statement_timeout: String(statementMs),
    default_transaction_isolation: isolation.replace(' ', '\\ '),
  };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const created = new pg.Pool({
    ...connection(port),
    max,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: connectionWaitMs,
    options: options.join(' '),
  });
  // An idle connection that breaks is dropped by the pool, and the next command opens another. One in use
  // fails the statement it runs; without a listener the same error would also end the process.
  created.on('error', () => undefined);
  created.on('connect', (client) => client.on('error', () => undefined));
  return created;
}
