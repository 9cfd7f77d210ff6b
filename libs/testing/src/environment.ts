import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PARENTS_MAX = 8;

/** Where the real MongoDB and Kafka are: from the environment, else from a running `npm run infra`. */
export function infrastructure(): { readonly mongodbUri: string; readonly kafkaBrokers: string } {
  const { MONGODB_URI, KAFKA_BROKERS } = process.env;
  if (MONGODB_URI && KAFKA_BROKERS) return { mongodbUri: MONGODB_URI, kafkaBrokers: KAFKA_BROKERS };
  const file = findUp(join('.data', 'infra.json'));
  const running = file && (JSON.parse(readFileSync(file, 'utf8')) as Running);
  // One that was killed leaves its file behind.
  if (running && isAlive(running.pid)) return running;
  throw new Error(
    'Integration tests need a real MongoDB and Kafka. Run `npm test` (it brings its own), or `npm run infra` beside your editor.',
  );
}

interface Running {
  readonly pid: number;
  readonly mongodbUri: string;
  readonly kafkaBrokers: string;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is alive.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function findUp(path: string): string | undefined {
  let folder = process.cwd();
  for (let i = 0; i < PARENTS_MAX; i++) {
    if (existsSync(join(folder, path))) return join(folder, path);
    folder = dirname(folder);
  }
  return undefined;
}
