import { CommandError } from './errors.js';
import { query, statement, type Postgres } from './postgres.js';
import type { Transaction } from './transactions.js';

/** Cursors that may be open at once over all clients. */
export const cursorsMax = 4_000;
/** A cursor that nobody reads from for this long is closed. */
export const cursorIdleMs = 600_000;

/** An open cursor: the extension's own note of where to go on. */
export interface Cursor {
  continuation: Buffer;
  transaction?: Transaction;
  usedAt: number;
}

const DELETE = statement('delete_cursors', 'SELECT documentdb_api_internal.delete_cursors($1::bigint[])');
const CLEAN = statement('clean_cursors', 'SELECT documentdb_api_internal.cursor_directory_cleanup($1)');

/** The open cursors, by id. */
export class Cursors {
  readonly #open = new Map<bigint, Cursor>();

  constructor(private readonly postgres: Postgres) {}

  get count(): number {
    return this.#open.size;
  }

  add(id: bigint, continuation: Buffer, transaction?: Transaction): void {
    if (this.#open.size >= cursorsMax) {
      throw new CommandError(
        8,
        'UnknownError',
        `${cursorsMax} cursors are open: close some or read them to the end`,
      );
    }
    this.#open.set(id, { continuation, transaction, usedAt: Date.now() });
  }

  /** The cursor that a getMore continues; another transaction's cursor is as unknown as a closed one. */
  get(id: bigint, transaction?: Transaction): Cursor {
    const cursor = this.#open.get(id);
    if (!cursor || cursor.transaction !== transaction) {
      throw new CommandError(43, 'CursorNotFound', `cursor id ${id} not found`);
    }
    cursor.usedAt = Date.now();
    return cursor;
  }

  /** Forgets a cursor that was read to its end or failed. */
  finish(id: bigint): void {
    this.#open.delete(id);
  }

  /** Closes cursors early; returns those that were open. */
  async kill(ids: readonly bigint[]): Promise<bigint[]> {
    const killed = ids.filter((id) => this.#open.delete(id));
    if (killed.length > 0) await query(this.postgres.general, DELETE, [killed.map(String)]);
    return killed;
  }

  /** Closes what has been idle for too long, and the files that a crash left behind. */
  async closeIdle(): Promise<void> {
    const before = Date.now() - cursorIdleMs;
    const ended = ({ transaction }: Cursor) => transaction !== undefined && transaction.state !== 'open';
    const idle = [...this.#open].filter(([, cursor]) => cursor.usedAt < before || ended(cursor));
    await this.kill(idle.map(([id]) => id));
    await query(this.postgres.general, CLEAN, [cursorIdleMs / 1000]);
  }
}
