import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Times of single operations, in milliseconds. */
export class Samples {
  private readonly values: number[] = [];

  add(ms: number): void {
    this.values.push(ms);
  }

  get count(): number {
    return this.values.length;
  }

  /** The value that this share of the samples does not exceed; NaN without samples. */
  quantile(share: number): number {
    const sorted = this.values.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  }
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** CPU seconds that these processes have used so far, user and system; those that are gone count 0. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    try {
      // The name in parentheses may hold spaces; what counts is behind it.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      continue;
    }
  }
  return ticks / TICKS_PER_SECOND;
}

/** CPU seconds of a process, all that it has started, and those of them that have ended. */
export function cpuSecondsOfTree(pid: number): number {
  const { ticks, children } = processOf(pid);
  return ticks / TICKS_PER_SECOND + children.reduce((total, child) => total + cpuSecondsOfTree(child), 0);
}

/**
 * CPU seconds so far by the name of the process, each with all that it has started. What the document database's
 * adapter has started is PostgreSQL, and stands for itself.
 */
export function cpuSecondsByName(pids: Readonly<Record<string, number>>): Record<string, number> {
  const { mongodb, ...others } = pids;
  const trees = Object.entries(others).map(([name, pid]) => [name, cpuSecondsOfTree(pid)] as const);
  if (mongodb === undefined) return Object.fromEntries(trees);
  const own = cpuSeconds([mongodb]);
  return { ...Object.fromEntries(trees), mongodb: own, postgres: cpuSecondsOfTree(mongodb) - own };
}

/** Memory of a process and all that it has started, in MB; what several share counts once, in parts. */
export function memoryMbOfTree(pid: number): number {
  const { children } = processOf(pid);
  return memoryMb(pid) + children.reduce((total, child) => total + memoryMbOfTree(child), 0);
}

function memoryMb(pid: number): number {
  try {
    const [, kilobytes] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))!;
    return Number(kilobytes) / 1024;
  } catch {
    return 0;
  }
}

function processOf(pid: number): { ticks: number; children: number[] } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return { ticks, children: children.map(Number) };
  } catch {
    return { ticks: 0, children: [] };
  }
}

/** Repeats `work` by so many clients for so long. Answers how often it was done, and the seconds that took. */
export async function forSeconds(
  seconds: number,
  clients: number,
  work: () => Promise<unknown>,
): Promise<{ readonly count: number; readonly seconds: number; readonly times: Samples }> {
  const times = new Samples();
  const from = performance.now();
  const lane = async (): Promise<void> => {
    while (performance.now() - from < seconds * 1000) {
      const started = performance.now();
      await work();
      times.add(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: clients }, lane));
  return { count: times.count, seconds: (performance.now() - from) / 1000, times };
}

/** Runs `work` for every item, at most `clients` side by side. */
export async function withClients<T>(
  items: readonly T[],
  clients: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      await work(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(clients, items.length) }, lane));
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export const round = (value: number, digits = 1): number => Number(value.toFixed(digits));
