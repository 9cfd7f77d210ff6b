import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const attemptsMax = 3;

/** Who holds the lock: its process, and when that process began, since process ids are used again. */
export interface LockHolder {
  pid: number;
  bornAt: string;
  command: string;
}

/** Thrown when another process holds the lock; the message says how to stop it. */
export class AlreadyRunningError extends Error {
  constructor(readonly holder: LockHolder) {
    const stop = holder.command === 'infra' ? 'npm run infra -- stop' : 'npm run stop';
    super(`\`${holder.command}\` already runs here as process ${holder.pid}: stop it with \`${stop}\`.`);
  }
}

/**
 * Takes the lock of a data folder for this process. A lock whose process is gone (kill -9, a crash) is
 * taken over.
 * @returns the function that gives it back
 * @throws AlreadyRunningError
 */
export function takeLock(file: string, command: string): () => void {
  mkdirSync(path.dirname(file), { recursive: true });
  const mine: LockHolder = { pid: process.pid, bornAt: birthOf(process.pid) ?? '', command };
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, JSON.stringify(mine));
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (tryLink(partial, file)) return () => release(file, mine);
      const holder = lockHolder(file);
      if (holder) throw new AlreadyRunningError(holder);
      setAside(file);
    }
    throw new Error(`${file} could not be taken in ${attemptsMax} attempts: delete it.`);
  } finally {
    rmSync(partial, { force: true });
  }
}

/** The living holder of a lock, if there is one. */
export function lockHolder(file: string): LockHolder | undefined {
  const holder = readHolder(file);
  return holder && birthOf(holder.pid) === holder.bornAt ? holder : undefined;
}

/** When a process began, in clock ticks since boot, as text; undefined when there is none. */
export function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold blanks: fields are counted from its end. State Z is a dead child.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

function release(file: string, mine: LockHolder): void {
  if (readHolder(file)?.pid === mine.pid) rmSync(file, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead lock away. If a living one came in between, it goes back to its place. */
function setAside(file: string): void {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (lockHolder(aside)) tryLink(aside, file);
  rmSync(aside, { force: true });
}

function readHolder(file: string): LockHolder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const isHolder = typeof value === 'object' && value !== null && 'pid' in value && 'bornAt' in value;
    return isHolder ? (value as LockHolder) : undefined;
  } catch {
    return undefined;
  }
}
