import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { root } from '@atelier/stack/checkout';
import { RESULTS } from './commit.js';
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

/** Prints the table and the aims. */
export function print(report: Report): void {
  console.log(`\n${report.what}\n`);
  console.table(report.rows);
  if (report.breakdown) console.table(report.breakdown);
  for (const aim of report.aims) console.log(lineOf(report.bench, aim));
}

/** Writes the raw result under docs/benchmarks, and commits nothing. */
export async function save(report: Report & { readonly commit: string }): Promise<void> {
  const folder = join(root, RESULTS);
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
    at: new Date().toISOString(),
    machine,
  };
  const style = await resolveConfig(file);
  writeFileSync(file, await format(JSON.stringify(content), { ...style, filepath: file }));
  console.log(`\nsaved as ${RESULTS}/${report.bench}.json`);
}

function lineOf(bench: string, { measure, value, unit, wanted }: Aim): string {
  const aim = 'atLeast' in wanted ? `>=${wanted.atLeast}` : `<=${wanted.atMost}`;
  const line = (figure: string, verdict: string) =>
    `aim ${bench}.${measure} ${figure} wanted ${aim}${unit} ${verdict}`;
  if (typeof value === 'string') return line('-', value);
  const met = 'atLeast' in wanted ? value >= wanted.atLeast : value <= wanted.atMost;
  return line(`${round(value, 2)}${unit}`, styleText(met ? 'green' : 'red', met ? 'met' : 'missed'));
}
