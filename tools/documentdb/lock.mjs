// One living owner per folder. Plain Node 20 without dependencies: the set-up takes such a lock before `npm ci`.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const attemptsMax = 3;

/**
 * Takes a lock for this process. A lock whose process is gone (kill -9, a crash) is taken over.
 * @param {string} file
 * @param {string} command what the holder does, for the one who is refused
 * @param {(holder: import('./lock.mjs').LockHolder) => Error} refusal
 * @returns {() => void} gives it back
 * @throws the refusal, when a living process holds it, be it this one
 */
export function takeLock(file, command, refusal) {
  mkdirSync(path.dirname(file), { recursive: true });
  const mine = { pid: process.pid, bornAt: birthOf(process.pid) ?? '', command };
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, JSON.stringify(mine));
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (tryLink(partial, file)) return () => release(file, mine);
      const holder = lockHolder(file);
      if (holder) throw refusal(holder);
      setAside(file);
    }
    throw new Error(`${file} could not be taken in ${attemptsMax} attempts: delete it.`);
  } finally {
    rmSync(partial, { force: true });
  }
}

/** The living holder of a lock, if there is one. */
export function lockHolder(file) {
  const holder = readHolder(file);
  return holder && birthOf(holder.pid) === holder.bornAt ? holder : undefined;
}

/**
 * When a process began, in clock ticks since boot, as text; undefined when there is none. Process ids are used
 * again: only both together name a process.
 */
export function birthOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold blanks: fields are counted from its end. State Z is a dead child.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

function release(file, mine) {
  if (readHolder(file)?.pid === mine.pid) rmSync(file, { force: true });
}

function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead lock away. If a living one came in between, it goes back to its place. */
function setAside(file) {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (lockHolder(aside)) tryLink(aside, file);
  rmSync(aside, { force: true });
}

function readHolder(file) {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8'));
    const isHolder = typeof value === 'object' && value !== null && 'pid' in value && 'bornAt' in value;
    return isHolder ? value : undefined;
  } catch {
    return undefined;
  }
}
