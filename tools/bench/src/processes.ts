import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface Process {
  readonly pid: number;
  /** CPU ticks of its own, and of the children that have ended. */
  readonly ticks: number;
  readonly children: readonly number[];
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** CPU seconds of a process, all that it has started, and those of them that have ended. */
export const cpuSecondsOfTree = (pid: number): number => cpuSecondsOf(treeOf(pid));

/**
 * CPU seconds so far by the name of the process, each with all that it has started. What the document database's
 * adapter has started is PostgreSQL, and stands for itself.
 */
export function cpuSecondsByName(pids: Readonly<Record<string, number>>): Record<string, number> {
  const { mongodb, ...others } = pids;
  const trees = Object.entries(others).map(([name, pid]) => [name, cpuSecondsOfTree(pid)] as const);
  if (mongodb === undefined) return Object.fromEntries(trees);
  const [adapter, ...started] = treeOf(mongodb);
  return { ...Object.fromEntries(trees), mongodb: cpuSecondsOf([adapter!]), postgres: cpuSecondsOf(started) };
}

/** CPU seconds of this process alone. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

/** Memory of a process and all that it has started, in MB; what several share counts once, in parts. */
export const memoryMbOfTree = (pid: number): number =>
  treeOf(pid).reduce((total, each) => total + memoryMb(each.pid), 0);

/** The arguments of a process and of all that it has started. */
export const commandLinesOfTree = (pid: number): string[][] =>
  treeOf(pid).map((each) => (read(each.pid, 'cmdline') ?? '').split('\0'));

/**
 * The process first, then all that it has started; who ends meanwhile is left out.
 * @throws Error when the process itself cannot be read: 0 would be taken for a figure.
 */
function treeOf(pid: number): Process[] {
  const top = processOf(pid);
  if (!top) throw new Error(`Process ${pid} is not in /proc: it has ended, or this is not Linux.`);
  return [top, ...top.children.flatMap(descendants)];
}

function descendants(pid: number): Process[] {
  const process = processOf(pid);
  return process ? [process, ...process.children.flatMap(descendants)] : [];
}

function processOf(pid: number): Process | undefined {
  const [stat, children] = [read(pid, 'stat'), read(pid, `task/${pid}/children`)];
  if (stat === undefined || children === undefined) return undefined;
  // The name in parentheses may hold spaces; what counts is behind it.
  const fields = stat.split(') ').at(-1)!.split(' ');
  const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0);
  return { pid, ticks, children: children.split(' ').filter(Boolean).map(Number) };
}

const cpuSecondsOf = (processes: readonly Process[]): number =>
  processes.reduce((total, { ticks }) => total + ticks, 0) / TICKS_PER_SECOND;

function memoryMb(pid: number): number {
  const [, kilobytes = 0] = /^Pss:\s+(\d+) kB/m.exec(read(pid, 'smaps_rollup') ?? '') ?? [];
  return Number(kilobytes) / 1024;
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
