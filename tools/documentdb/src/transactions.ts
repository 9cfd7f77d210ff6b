import { CommandError, isLostConnection, toCommandError, UNREACHABLE, WRITE_CONFLICT } from './errors.js';
import type { Head } from './head.js';
import { acquire, query, statement, type Postgres } from './postgres.js';
import type { PoolClient } from 'pg';

/** A transaction without a command for this long is aborted. */
export const transactionIdleMs = 30_000;
/** A transaction older than this is aborted, whatever it does (MongoDB's transactionLifetimeLimitSeconds). */
export const transactionLifeMs = 60_000;
/** Ended transactions that are remembered; an older commit is looked up in `atelier.commits`. */
const endedMax = 10_000;
const sweepMs = 1_000;

type State = 'open' | 'committed' | 'aborted' | 'unknown';

/** A multi-document transaction: one PostgreSQL transaction on one pinned connection. */
export interface Transaction {
  readonly session: string;
  readonly txnNumber: number;
  state: State;
  /** Present while the transaction is open. */
  client?: PoolClient;
  /** Only a transaction that wrote leaves a mark of its commit. */
  wrote: boolean;
  running: number;
  /** The connection that its last command came by. */
  connection: number;
  readonly startedAt: number;
  usedAt: number;
}

/** An insert that meets the mark of a commit does nothing; one that is first forbids that commit for ever. */
const FORBID_COMMIT = statement(
  'forbid_commit',
  'INSERT INTO atelier.commits (key) VALUES ($1) ON CONFLICT DO NOTHING RETURNING key',
);

/** A transaction that waits for a connection of PostgreSQL. */
interface Beginning {
  readonly connection: number;
  /** Nobody wants it any more: its client is gone, or the server stops. */
  isUnwanted: boolean;
}

/** The open and recently ended transactions, by session. */
export class Transactions {
  readonly #bySession = new Map<string, Transaction>();
  readonly #beginnings = new Set<Beginning>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(private readonly postgres: Postgres) {
    this.#sweeper = setInterval(() => this.#abortOverdue(), sweepMs).unref();
  }

  get openCount(): number {
    let count = 0;
    for (const { state } of this.#bySession.values()) if (state === 'open') count += 1;
    return count;
  }

  /** The open transaction that a command belongs to, begun when the command starts it. */
  async enter(head: Head, connection: number): Promise<Transaction> {
    const { session, txnNumber } = required(head);
    const known = this.#bySession.get(session);
    if (head.startsTransaction) {
      if (known && known.txnNumber > txnNumber) throw tooOld(known, txnNumber);
      if (known?.txnNumber === txnNumber)
        throw new CommandError(72, 'InvalidOptions', 'the transaction has started');
      return this.#begin(session, txnNumber, connection);
    }
    if (known && known.txnNumber > txnNumber) throw tooOld(known, txnNumber);
    if (known?.txnNumber !== txnNumber || !known.client) {
      if (known?.txnNumber === txnNumber && known.state === 'committed') {
        throw new CommandError(256, 'TransactionCommitted', `transaction ${txnNumber} has been committed`);
      }
      throw gone(txnNumber);
    }
    known.connection = connection;
    return known;
  }

  /** A plain retryable write with a higher number ends an open transaction of its session. */
  async supersede({ session, txnNumber }: Head): Promise<void> {
    const known = session === undefined ? undefined : this.#bySession.get(session);
    if (known?.client && txnNumber !== undefined && txnNumber > known.txnNumber) await this.abort(known);
  }

  /** Runs a command of the transaction; any failure aborts the transaction, as in MongoDB. */
  async run<T>(transaction: Transaction, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const { client } = transaction;
    if (!client) throw gone(transaction.txnNumber);
    transaction.running += 1;
    try {
      return await work(client);
    } catch (error) {
      const failure = toCommandError(error);
      // A time-out of ours may have ended the transaction while the command waited for its turn.
      const aborted = transaction.state !== 'open';
      await this.abort(transaction);
      if (aborted) throw gone(transaction.txnNumber);
      throw isTransient(failure) ? failure.withLabel('TransientTransactionError') : failure;
    } finally {
      transaction.running -= 1;
      transaction.usedAt = Date.now();
    }
  }

  /** Commits. Repeating it gives the same answer, also after a restart of this process or of the server. */
  async commit(head: Head): Promise<void> {
    const { session, txnNumber } = required(head);
    const known = this.#bySession.get(session);
    if (known?.txnNumber === txnNumber) {
      if (known.state === 'committed') return;
      if (known.state === 'aborted') throw gone(txnNumber);
      if (known.client) return this.#commitOpen(known, known.client);
    }
    await this.#learnOutcome(session, txnNumber);
    if (known?.txnNumber === txnNumber) known.state = 'committed';
  }

  async abortCommand(head: Head): Promise<void> {
    const { session, txnNumber } = required(head);
    const known = this.#bySession.get(session);
    if (known?.txnNumber !== txnNumber || !known.client) throw gone(txnNumber);
    await this.abort(known);
  }

  /** Rolls back and gives the connection back; nothing when the transaction has ended. */
  async abort(transaction: Transaction): Promise<void> {
    const client = this.#end(transaction, 'aborted');
    if (!client) return;
    await client.query('ROLLBACK').then(
      () => client.release(),
      (error: Error) => client.release(error),
    );
  }

  /**
   * Ends the open transactions whose last command came by a connection that is closed now. A client that was killed
   * leaves nothing locked; one that only lost its connection repeats the transaction, as after any network error.
   */
  async abortOf(connection: number): Promise<void> {
    for (const beginning of this.#beginnings)
      if (beginning.connection === connection) beginning.isUnwanted = true;
    const open = [...this.#bySession.values()].filter((known) => known.client);
    await Promise.all(
      open.filter((known) => known.connection === connection).map((known) => this.abort(known)),
    );
  }

  /** Ends the open transactions of sessions that a client gave up. */
  async endSessions(sessions: readonly string[]): Promise<void> {
    for (const session of sessions) {
      const known = this.#bySession.get(session);
      if (known) await this.abort(known);
      this.#bySession.delete(session);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    for (const beginning of this.#beginnings) beginning.isUnwanted = true;
    await Promise.all([...this.#bySession.values()].map((transaction) => this.abort(transaction)));
  }

  async #begin(session: string, txnNumber: number, connection: number): Promise<Transaction> {
    const earlier = this.#bySession.get(session);
    if (earlier) await this.abort(earlier);
    const client = await this.#acquire(txnNumber, connection);
    const now = Date.now();
    const begun: Transaction = {
      session,
      txnNumber,
      state: 'open',
      client,
      wrote: false,
      running: 0,
      connection,
      startedAt: now,
      usedAt: now,
    };
    this.#remember(begun);
    // Not awaited: the first command of the transaction queues behind it and fails with it.
    client.query('BEGIN').catch(() => undefined);
    return begun;
  }

  /** A connection of PostgreSQL, unless nobody wants it any more when it comes. */
  async #acquire(txnNumber: number, connection: number): Promise<PoolClient> {
    const beginning: Beginning = { connection, isUnwanted: false };
    this.#beginnings.add(beginning);
    try {
      const client = await acquire(this.postgres.transactions);
      if (!beginning.isUnwanted) return client;
      client.release();
    } catch (error) {
      throw toCommandError(error).withLabel('TransientTransactionError');
    } finally {
      this.#beginnings.delete(beginning);
    }
    throw gone(txnNumber);
  }

  async #commitOpen(transaction: Transaction, client: PoolClient): Promise<void> {
    const { session, txnNumber } = transaction;
    const key = commitKey(session, txnNumber);
    // Hex and a number: nothing to escape, and one round trip instead of two.
    const sql = transaction.wrote ? `INSERT INTO atelier.commits (key) VALUES ('${key}'); COMMIT` : 'COMMIT';
    this.#end(transaction, 'unknown');
    try {
      const results = [await client.query(sql)].flat();
      client.release();
      // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error.
      transaction.state = results.at(-1)?.command === 'COMMIT' ? 'committed' : 'aborted';
    } catch (error) {
      client.release(error as Error);
      if (isLostConnection(error)) {
        const unknown = toCommandError(error);
        throw unknown.withLabel('RetryableWriteError', 'UnknownTransactionCommitResult');
      }
      transaction.state = 'aborted';
      throw toCommandError(error).withLabel('TransientTransactionError');
    }
    if (transaction.state === 'aborted') throw gone(txnNumber);
  }

  /** After a commit of unknown outcome: returns when it happened, throws 251 when it never will have. */
  async #learnOutcome(session: string, txnNumber: number): Promise<void> {
    let forbidden: boolean;
    try {
      const rows = await query(this.postgres.general, FORBID_COMMIT, [commitKey(session, txnNumber)]);
      forbidden = rows.length > 0;
    } catch (error) {
      throw toCommandError(error).withLabel('RetryableWriteError', 'UnknownTransactionCommitResult');
    }
    if (forbidden) throw gone(txnNumber);
  }

  #end(transaction: Transaction, state: State): PoolClient | undefined {
    const { client } = transaction;
    if (!client) return undefined;
    transaction.client = undefined;
    transaction.state = state;
    return client;
  }

  #remember(transaction: Transaction): void {
    this.#bySession.delete(transaction.session);
    this.#bySession.set(transaction.session, transaction);
    if (this.#bySession.size <= endedMax) return;
    for (const [session, { client }] of this.#bySession) {
      if (client) continue;
      this.#bySession.delete(session);
      return;
    }
  }

  #abortOverdue(): void {
    const now = Date.now();
    for (const transaction of this.#bySession.values()) {
      if (!transaction.client) continue;
      const idle = transaction.running === 0 && now - transaction.usedAt > transactionIdleMs;
      if (idle || now - transaction.startedAt > transactionLifeMs) void this.abort(transaction);
    }
  }
}

const commitKey = (session: string, txnNumber: number) => `${session}:${txnNumber}`;

function required({ session, txnNumber }: Head): { session: string; txnNumber: number } {
  if (session !== undefined && txnNumber !== undefined) return { session, txnNumber };
  throw new CommandError(72, 'InvalidOptions', 'a transaction needs lsid and txnNumber');
}

const gone = (txnNumber: number) =>
  new CommandError(
    251,
    'NoSuchTransaction',
    `Transaction with { txnNumber: ${txnNumber} } has been aborted.`,
    ['TransientTransactionError'],
  );

const tooOld = (known: Transaction, txnNumber: number) =>
  new CommandError(
    225,
    'TransactionTooOld',
    `${txnNumber} is older than ${known.txnNumber}, the latest of its session`,
  );

/** Write conflict, no connection in time, server going down, transaction gone: the whole transaction may run again. */
const TRANSIENT_CODES: ReadonlySet<number> = new Set([WRITE_CONFLICT, UNREACHABLE, 24, 251]);
const isTransient = ({ code }: CommandError) => TRANSIENT_CODES.has(code);
