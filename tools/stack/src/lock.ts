import { takeLock as take, type LockHolder } from '@atelier/documentdb/lock';

export { birthOf, lockHolder } from '@atelier/documentdb/lock';

/** Thrown when another process holds the lock; the message says how to stop it. */
export class AlreadyRunningError extends Error {
  constructor(readonly holder: LockHolder) {
    const stop = holder.command === 'infra' ? 'npm run infra -- stop' : 'npm run stop';
    super(`\`${holder.command}\` already runs here as process ${holder.pid}: stop it with \`${stop}\`.`);
  }
}

/**
 * Takes the lock of a data folder for this process.
 * @returns the function that gives it back
 * @throws AlreadyRunningError
 */
export const takeLock = (file: string, command: string): (() => void) =>
  take(file, command, (holder) => new AlreadyRunningError(holder));
