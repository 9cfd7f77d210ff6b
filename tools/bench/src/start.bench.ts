import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { memoryMbOfTree } from './processes.js';
import type { Report } from './report.js';
import { Rounds } from './rounds.js';

const ROUNDS = 5;
const START_TIMEOUT_MS = 120_000;
/** After the first requests of the screens and the first polls of the consumers. */
const SETTLE_MS = 5_000;
const WHAT = { way: 'npm start' };
const ROOT = join(import.meta.dirname, '../../..');

interface Started {
  readonly seconds: number;
  readonly megabytes: number;
}

/** `npm start` of this checkout as a person types it, when all it needs has been fetched, until it says ready. */
export async function benchStart(): Promise<Report> {
  // Fetches what is missing and makes topics and indexes: not counted.
  await startOnce();
  const runs = new Rounds();
  for (let round = 0; round < ROUNDS; round++) {
    const { seconds, megabytes } = await startOnce();
    runs.add(WHAT, { 'ready s': seconds, 'memory MB': megabytes });
  }
  return {
    bench: 'start',
    what: `npm start, warm, ${ROUNDS} times: from the command to ready, and the memory (PSS) of all its processes.`,
    rows: runs.rows(),
    rounds: runs.raw(),
    aims: [
      runs.aim(WHAT, 'ready s', { measure: 'ready', unit: 's', wanted: { atMost: 15 } }),
      runs.aim(WHAT, 'memory MB', { measure: 'memory', unit: 'MB', wanted: { atMost: 1536 } }),
    ],
  };
}

async function startOnce(): Promise<Started> {
  const from = performance.now();
  const child = spawn('npm', ['start', '--', '--no-story'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = once(child, 'exit');
  try {
    await ready(child);
    const seconds = (performance.now() - from) / 1000;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return { seconds, megabytes: memoryMbOfTree(child.pid!) };
  } finally {
    // As Ctrl-C does, to the whole group.
    if (child.exitCode === null) process.kill(-child.pid!, 'SIGINT');
    await ended;
  }
}

async function ready(child: ChildProcess): Promise<void> {
  const timer = setTimeout(() => child.kill(), START_TIMEOUT_MS);
  const lines: string[] = [];
  try {
    for await (const line of createInterface(child.stdout!)) {
      lines.push(line);
      if (line.includes('is ready after')) return;
    }
  } finally {
    clearTimeout(timer);
    child.stdout!.resume();
  }
  throw new Error(`npm start did not get ready:\n${lines.slice(-10).join('\n')}`);
}
