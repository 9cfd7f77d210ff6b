import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { round } from './measure.js';

/** Says why there is no figure. */
export type NotMeasured = `not measured: ${string}`;
export type Figure = number | NotMeasured;

/** Measures CPU: called twice, it answers the CPU seconds between the two calls. */
export type Cpu = () => () => Figure;
/** How often something was done per CPU second, if that was measured. */
export const perCpuSecond = (count: number, seconds: Figure): Figure =>
  typeof seconds === 'string' ? seconds : count / seconds;

export interface Aim {
  readonly measure: string;
  readonly value: Figure;
  readonly unit: string;
  readonly wanted: { readonly atLeast: number } | { readonly atMost: number };
}

export interface BenchOptions {
  /** Takes longer and measures more. */
  readonly full: boolean;
}

export type Row = Readonly<Record<string, string | number>>;

export interface Report {
  readonly bench: string;
  /** What was done, in one sentence. */
  readonly what: string;
  readonly rows: readonly Row[];
  /** What every round gave, behind the medians of the rows. Saved, not printed. */
  readonly rounds: readonly Readonly<Record<string, string | number | readonly Figure[]>>[];
  /** What stands behind the rows, such as where the time went. */
  readonly breakdown?: readonly Row[];
  readonly aims: readonly Aim[];
}

const ROOT = join(import.meta.dirname, '../../..');
const FOLDER = 'docs/benchmarks';

/** Prints the table and the aims, and commits nothing: with `--save` the raw result goes under docs/benchmarks. */
export async function publish(report: Report, save: boolean): Promise<void> {
  console.log(`\n${report.what}\n`);
  console.table(report.rows);
  if (report.breakdown) console.table(report.breakdown);
  for (const aim of report.aims) console.log(lineOf(report.bench, aim));
  if (!save) return;
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT }).toString().trim();
  const commit = git('rev-parse', '--short', 'HEAD');
  // Results of benches before this one are no change of what is measured.
  const isDirty = git('status', '--porcelain', '--', '.', `:!${FOLDER}`) !== '';
  const folder = join(ROOT, FOLDER);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${report.bench}.json`);
  const [minute = 0, , quarter = 0] = loadavg();
  const machine = {
    cores: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    // What else the machine did: a load far above the clients' own means that the figures are of a busy machine.
    loadAverage: { minute, quarter },
  };
  const content = {
    ...report,
    commit: isDirty ? `${commit}+` : commit,
    at: new Date().toISOString(),
    machine,
  };
  const style = await resolveConfig(file);
  writeFileSync(file, await format(JSON.stringify(content), { ...style, filepath: file }));
  console.log(`\nsaved as ${FOLDER}/${report.bench}.json`);
}

function lineOf(bench: string, { measure, value, unit, wanted }: Aim): string {
  const aim = 'atLeast' in wanted ? `>=${wanted.atLeast}` : `<=${wanted.atMost}`;
  const line = (figure: string, verdict: string) =>
    `aim ${bench}.${measure} ${figure} wanted ${aim}${unit} ${verdict}`;
  if (typeof value === 'string') return line('-', value);
  const met = 'atLeast' in wanted ? value >= wanted.atLeast : value <= wanted.atMost;
  return line(`${round(value, 2)}${unit}`, styleText(met ? 'green' : 'red', met ? 'met' : 'missed'));
}
