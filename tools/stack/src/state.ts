import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dataFolder } from './checkout.js';
import type { Infrastructure } from './infrastructure.js';
import { birthOf } from './lock.js';

/** One holder per checkout: `start` and `infra` use the same data and the same ports. */
export const lockFile = path.join(dataFolder, 'stack.lock');
const stateFile = path.join(dataFolder, 'infra.json');

/** What runs now, for tests and tools of the same checkout (`.data/infra.json`). */
export interface RunningState {
  /** The supervising process. */
  pid: number;
  mongodbUri: string;
  kafkaBrokers: string;
  gatewayUrl?: string;
  pids: Record<string, number>;
}

/** Says where the infrastructure listens; called only once it serves. */
export function writeState(infrastructure: Infrastructure, more: { gatewayUrl?: string } = {}): void {
  const { mongodbUri, kafkaBrokers, pids } = infrastructure;
  const state: RunningState = { pid: process.pid, mongodbUri, kafkaBrokers, pids: { ...pids }, ...more };
  // A URI of yours may hold a password.
  writeFileSync(`${stateFile}.tmp`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${stateFile}.tmp`, stateFile);
}

/** The state, unless its process is gone. */
export function readState(): RunningState | undefined {
  try {
    const state = JSON.parse(readFileSync(stateFile, 'utf8')) as RunningState;
    return birthOf(state.pid) ? state : undefined;
  } catch {
    return undefined;
  }
}

export function clearState(): void {
  rmSync(stateFile, { force: true });
}
