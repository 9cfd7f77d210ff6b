import { execFile, execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { infrastructure } from '@atelier/testing';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const COMMAND_TIMEOUT_MS = 240_000;
const OUTPUT_BYTES_MAX = 16_000_000;
const FROM_SOURCE = ['--import', '@atelier/stack/typescript'];

export interface Ended {
  readonly code: number;
  readonly output: string;
}

/** A copy of the workspace as it is now, in which generators may write. */
export interface Scratch {
  readonly folder: string;
  /** `npx nx g @atelier/generators:…`; what it wrote is in `written`. */
  generate(...args: readonly string[]): Promise<Ended>;
  readonly written: ReadonlySet<string>;
  /** A tool of node_modules, by the path of its script. */
  run(script: string, ...args: readonly string[]): Promise<Ended>;
  /** Jest on these specs, against the infrastructure that the spec which asks has. */
  test(...specs: readonly string[]): Promise<Ended>;
  /** A TypeScript command of the workspace. */
  command(file: string, ...args: readonly string[]): Promise<Ended>;
  remove(): void;
}

export function copyWorkspace(): Scratch {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'atelier-generated-')));
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  for (const file of listed.split('\n').filter((one) => one !== '' && existsSync(path.join(ROOT, one))))
    cpSync(path.join(ROOT, file), path.join(folder, file));
  linkPackages(folder);
  const written = new Set<string>();
  const { mongodbUri: MONGODB_URI, kafkaBrokers: KAFKA_BROKERS } = infrastructure();
  const start = async (args: readonly string[]): Promise<Ended> => {
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
        cwd: folder,
        timeout: COMMAND_TIMEOUT_MS,
        maxBuffer: OUTPUT_BYTES_MAX,
        env: {
          ...process.env,
          MONGODB_URI,
          KAFKA_BROKERS,
          NODE_OPTIONS: '',
          NO_COLOR: '1',
          FORCE_COLOR: '0',
          NX_TUI: 'false',
          NX_DAEMON: 'false',
        },
      });
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const {
        code,
        stdout = '',
        stderr = '',
      } = error as { code?: unknown; stdout?: string; stderr?: string };
      return { code: typeof code === 'number' ? code : 1, output: stdout + stderr };
    }
  };
  const run: Scratch['run'] = (script, ...args) => start([path.join('node_modules', script), ...args]);
  return {
    folder,
    written,
    run,
    test: (...specs) => start(['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', ...specs]),
    command: (file, ...args) => start([...FROM_SOURCE, file, ...args]),
    generate: async (...[name, ...args]) => {
      const ended = await run('nx/dist/bin/nx.js', 'g', `@atelier/generators:${name}`, ...args);
      for (const [, file] of ended.output.matchAll(/^(?:CREATE|UPDATE) (\S+)$/gm)) written.add(file!);
      return ended;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Other people's packages are the checkout's; ours are the copy's. */
function linkPackages(folder: string): void {
  const from = path.join(ROOT, 'node_modules');
  const to = path.join(folder, 'node_modules');
  mkdirSync(path.join(to, '@atelier'), { recursive: true });
  for (const name of readdirSync(from).filter((one) => one !== '@atelier'))
    symlinkSync(path.join(from, name), path.join(to, name));
  for (const name of readdirSync(path.join(from, '@atelier'))) {
    const own = path.relative(ROOT, realpathSync(path.join(from, '@atelier', name)));
    symlinkSync(path.join(folder, own), path.join(to, '@atelier', name));
  }
}
