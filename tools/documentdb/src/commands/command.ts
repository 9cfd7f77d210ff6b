import type { Cursors } from '../cursors.js';
import type { Head } from '../head.js';
import type { Client, Postgres, Row, Statement } from '../postgres.js';
import type { Transaction, Transactions } from '../transactions.js';
import type { Reply } from '../wire.js';

/** What a command sees of its request and of the adapter. */
export interface Context {
  head: Head;
  raw: Buffer;
  sequence: Buffer | null;
  /** The connection to use: the transaction's own, or one of the general pool. */
  client: Client;
  transaction?: Transaction;
  services: Services;
}

/** What lives as long as the adapter. */
export interface Services {
  postgres: Postgres;
  transactions: Transactions;
  cursors: Cursors;
  /** `host:port` under which clients reach this adapter. */
  address: string;
  startedAt: number;
  /** Open client connections. */
  connectionCount(): number;
}

/** Answers one command. */
export type Command = (context: Context) => Promise<Reply>;

/** The one row that every function of the extension gives. */
export function only(rows: Row[], { name }: Statement): Row {
  const [row] = rows;
  if (!row) throw new Error(`${name} gave no row`);
  return row;
}
