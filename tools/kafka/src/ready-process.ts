import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const logTailChars = 1_500;

export interface ReadyProcessOptions {
  /** Said in errors, as in "Kafka did not become ready". */
  name: string;
  command: string;
  args: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Takes the child's stderr; emptied at each start, so that it never grows over one run. */
  logFile: string;
  readyMsMax: number;
  stopMsMax: number;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ReadyProcess {
  readonly pid: number;
  /** The JSON line with which the child said that it serves. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Resolves when the child has ended, for whatever reason. */
  readonly exited: Promise<Exit>;
  /** SIGTERM, and SIGKILL after `stopMsMax`. */
  stop(): Promise<void>;
  /** SIGKILL, for tests that prove what survives it. */
  kill(): Promise<void>;
}

/**
 * Starts a child that prints one JSON line with `"ready": true` when it serves and that ends when its
 * standard input closes. It gets a process group of its own: Ctrl-C in the terminal must reach only the
 * stack, which stops its children in order.
 * @throws Error when the child ends early or is not ready after `readyMsMax`; the log's end is part of it.
 */
export async function startReady(options: ReadyProcessOptions): Promise<ReadyProcess> {
  const log = openSync(options.logFile, 'w', 0o600);
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['pipe', 'pipe', log],
    detached: true,
  });
  closeSync(log);
  let failure: string | undefined;
  const since = Date.now();
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (error) => {
      failure = `did not start: ${error.message}`;
      resolve({ code: null, signal: null });
    });
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  child.stdin?.on('error', () => undefined);

  const ready = await firstReadyLine();
  if (ready === undefined) {
    const { code, signal } = await exited;
    const seconds = ((Date.now() - since) / 1000).toFixed(1);
    const reason = failure ?? `ended with ${signal ?? `code ${code}`} after ${seconds} s`;
    const tail = readFileSync(options.logFile, 'utf8').slice(-logTailChars).trim();
    throw new Error(`${options.name} ${reason}; see ${options.logFile}\n${tail}`);
  }
  const { pid } = child;
  if (pid === undefined) throw new Error(`${options.name} has no process id`);
  return {
    pid,
    ready,
    exited,
    async stop() {
      const timer = setTimeout(() => child.kill('SIGKILL'), options.stopMsMax);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(timer);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };

  async function firstReadyLine(): Promise<Record<string, unknown> | undefined> {
    const lines = createInterface({ input: child.stdout! });
    const answer = new Promise<Record<string, unknown>>((resolve) => {
      // The reader stays after the answer: an unread pipe would block the child.
      lines.on('line', (line) => {
        const parsed = parseReady(line);
        if (parsed) resolve(parsed);
      });
    });
    const timer = setTimeout(() => {
      failure = `did not become ready within ${options.readyMsMax / 1000} s`;
      child.kill('SIGKILL');
    }, options.readyMsMax);
    try {
      return await Promise.race([answer, exited.then(() => undefined)]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function parseReady(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    const isReady = typeof value === 'object' && value !== null && 'ready' in value && value.ready === true;
    return isReady ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
