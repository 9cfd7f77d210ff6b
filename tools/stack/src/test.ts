import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readSetup, root } from './checkout.js';
import { removeData } from './database.js';
import { startInfrastructure } from './infrastructure.js';
import { freePorts } from './ports.js';
import { untilStopSignal } from './signals.js';

const innerRings = ['unit', 'contract', 'int', 'stress'];
const ringsWithInfrastructure = ['int', 'stress'];
const systemRing = 'system';
const workers = 2;
/** A system test starts eight processes, and kills some of them. */
const systemTestMsMax = 300_000;
const jestMsMax = 30 * 60_000;
const interruptedCode = 130;

export interface TestOptions {
  rings?: readonly string[] | undefined;
  /** Regular expressions over file paths, as Jest takes them. */
  patterns: readonly string[];
}

export interface Tally {
  passed: number;
  failed: number;
}

/**
 * `test`: the rings on a Kafka and a database of their own, thrown away at the end. The last line is
 * `N passed, N failed`; a suite that does not run counts as failed.
 * @returns the exit code: 1 on a failure and also when not one test ran
 */
export async function test(options: TestOptions): Promise<number> {
  const all = [...innerRings, systemRing];
  const rings = options.rings ?? all;
  const unknown = rings.filter((ring) => !all.includes(ring));
  if (unknown.length > 0)
    throw new Error(`There is no ring ${unknown.join(', ')}: the rings are ${all.join(', ')}.`);

  const folder = mkdtempSync(path.join(tmpdir(), 'atelier-test-'));
  // PostgreSQL refuses root and then runs as nobody, who must be able to pass through here.
  const temporary = temporaryIn(folder);
  mkdirSync(temporary);
  for (const passed of [folder, temporary]) chmodSync(passed, 0o711);
  // Tests write topics, and read them from their beginning: a Kafka of yours is left alone.
  delete process.env['KAFKA_BROKERS'];
  const signal = untilStopSignal();
  const tally: Tally = { passed: 0, failed: 0 };
  try {
    const inner = innerRings.filter((ring) => rings.includes(ring));
    if (inner.length > 0) add(tally, await runInner(inner, options.patterns, folder, signal));
    if (rings.includes(systemRing)) {
      const args = ['--runInBand', `--testTimeout=${systemTestMsMax}`, ...options.patterns];
      add(tally, await jest([systemRing], args, process.env, folder, signal));
    }
  } catch (error) {
    if (error instanceof InterruptedError) return interruptedCode;
    console.error(error instanceof Error ? error.message : String(error));
    tally.failed += 1;
  } finally {
    removeData(folder);
  }
  if (tally.passed + tally.failed === 0) console.error('No test matched, which counts as a failure.');
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  return tally.failed > 0 || tally.passed === 0 ? 1 : 0;
}

/** What specs leave behind when they are interrupted lies here, and goes with the run's folder. */
const temporaryIn = (folder: string): string => path.join(folder, 'tmp');

class InterruptedError extends Error {}

async function runInner(
  rings: readonly string[],
  patterns: readonly string[],
  folder: string,
  signal: Promise<NodeJS.Signals>,
): Promise<Tally> {
  const args = [`--maxWorkers=${workers}`, ...patterns];
  if (!rings.some((ring) => ringsWithInfrastructure.includes(ring))) {
    return jest(rings, args, process.env, folder, signal);
  }
  const [kafka = 0, kafkaController = 0, mongodb = 0] = await freePorts(3);
  const infrastructure = await startInfrastructure({
    setup: readSetup(),
    dataDir: folder,
    ports: { kafka, kafkaController, mongodb },
    fsync: false,
    say: (text) => console.log(text),
  });
  try {
    const { mongodbUri: MONGODB_URI, kafkaBrokers: KAFKA_BROKERS } = infrastructure;
    return await jest(rings, args, { ...process.env, MONGODB_URI, KAFKA_BROKERS }, folder, signal);
  } finally {
    await infrastructure.stop();
  }
}

async function jest(
  rings: readonly string[],
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  folder: string,
  signal: Promise<NodeJS.Signals>,
): Promise<Tally> {
  const results = path.join(folder, `${rings.join('-')}.json`);
  const flags = ['--json', `--outputFile=${results}`, '--reporters=default', '--passWithNoTests', '--ci'];
  const child = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=TimeoutNegativeWarning',
      path.join(root, 'node_modules/jest/bin/jest.js'),
      '--selectProjects',
      ...rings,
      // A flag between the rings and the patterns: `--selectProjects` takes every bare word that follows it.
      ...flags,
      ...args,
    ],
    {
      cwd: root,
      env: { ...env, TMPDIR: temporaryIn(folder) },
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: jestMsMax,
      killSignal: 'SIGKILL',
    },
  );
  const ended = endOf(child);
  if ((await Promise.race([ended, signal])) !== 'ended') {
    child.kill('SIGTERM');
    await ended;
    throw new InterruptedError();
  }
  return tallyOf(results);
}

/** Sums one result file; a run that left none has failed as a whole. */
export function tallyOf(file: string): Tally {
  try {
    const result = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const count = (key: string) => Number(result[key] ?? Number.NaN);
    const tally = {
      passed: count('numPassedTests'),
      failed: count('numFailedTests') + count('numRuntimeErrorTestSuites'),
    };
    if (Number.isInteger(tally.passed) && Number.isInteger(tally.failed)) return tally;
  } catch {
    // Missing or cut off: Jest did not get to its end.
  }
  return { passed: 0, failed: 1 };
}

function endOf(child: ChildProcess): Promise<'ended'> {
  return new Promise((resolve) => {
    child.once('error', () => resolve('ended'));
    child.once('exit', () => resolve('ended'));
  });
}

function add(sum: Tally, more: Tally): void {
  sum.passed += more.passed;
  sum.failed += more.failed;
}
