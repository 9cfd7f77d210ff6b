import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type mongoose from 'mongoose';
import { DomainError } from '@atelier/kernel';
import { isBrokenSocket, isOutage } from './outage.js';

/** How often a transaction is begun anew after a write conflict or a failover before its caller is told. */
export const TRANSACTION_ATTEMPTS_MAX = 10;
/** How often a commit with an unknown outcome is asked for again. */
const COMMIT_ATTEMPTS_MAX = 5;
const BACKOFF_BASE_MS = 4;
const BACKOFF_MAX_MS = 250;

interface Running {
  readonly session: mongoose.mongo.ClientSession;
  readonly afterCommit: (() => void)[];
}

/** Decides when a transaction that was undone may be tried again. */
export type Again = <T>(run: () => Promise<T>) => Promise<T>;

const running = new AsyncLocalStorage<Running>();

/** The session of the transaction that this call runs in, if any. */
export const currentSession = (): mongoose.mongo.ClientSession | undefined => running.getStore()?.session;

/** Does something once the transaction that this call runs in has committed; at once when there is none. */
export function afterCommit(action: () => void): void {
  const store = running.getStore();
  if (store) store.afterCommit.push(action);
  else action();
}

/**
 * Runs `work` in one transaction, or joins the one that is already running (a consumer's). The work may run
 * several times, so it must have no effect outside the database: calls to others happen before or after.
 * Retries TransientTransactionError and UnknownTransactionCommitResult within limits (promise 19). After a
 * conflict each further try goes through `again`.
 */
export async function runInTransaction<T>(
  connection: mongoose.Connection,
  work: (session: mongoose.mongo.ClientSession) => Promise<T>,
  again: Again = (run) => run(),
): Promise<T> {
  const outer = running.getStore();
  if (outer) return work(outer.session);

  let outcome = await once(connection, work);
  for (let attempt = 1; 'undone' in outcome; attempt++) {
    if (attempt === TRANSACTION_ATTEMPTS_MAX) throw contended(outcome.undone);
    await sleep(backoffMs(attempt));
    const run = () => once(connection, work);
    // While the server is away nobody is in anybody's way, and one by one they would wait for it in turn.
    outcome = await (isOutage(outcome.undone) ? run() : again(run));
  }
  return outcome.result;
}

/** One try. Throws what beginning anew would not mend. */
async function once<T>(
  connection: mongoose.Connection,
  work: (session: mongoose.mongo.ClientSession) => Promise<T>,
): Promise<{ readonly result: T } | { readonly undone: unknown }> {
  const session = await connection.startSession();
  const store: Running = { session, afterCommit: [] };
  let isCommitting = false;
  try {
    session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } });
    const result = await running.run(store, () => work(session));
    isCommitting = true;
    await commit(session);
    for (const action of store.afterCommit) action();
    return { result };
  } catch (error) {
    if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
    // A commit whose answer was lost may have happened: that is not begun anew.
    const isUndone = hasLabel(error, 'TransientTransactionError') || (!isCommitting && isBrokenSocket(error));
    if (!isUndone) throw error;
    return { undone: error };
  } finally {
    await session.endSession().catch(() => undefined);
  }
}

const contended = (cause: unknown) =>
  new DomainError({
    kind: 'unavailable',
    code: 'platform.transaction.contended',
    detail:
      'Too many changes at the same place at the same time. Nothing was changed; try again in a moment.',
    retryAfterSeconds: 1,
    cause,
  });

async function commit(session: mongoose.mongo.ClientSession): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await session.commitTransaction();
      return;
    } catch (error) {
      const isUnknown = hasLabel(error, 'UnknownTransactionCommitResult') || isBrokenSocket(error);
      if (!isUnknown || attempt >= COMMIT_ATTEMPTS_MAX) throw error;
      await sleep(backoffMs(attempt));
    }
  }
}

const backoffMs = (attempt: number): number =>
  Math.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** attempt);

const hasLabel = (error: unknown, label: string): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'hasErrorLabel' in error &&
  (error as { hasErrorLabel(label: string): boolean }).hasErrorLabel(label);
