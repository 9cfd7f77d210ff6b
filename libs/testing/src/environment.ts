import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PARENTS_MAX = 8;

/** Where the real MongoDB and Kafka are: from the environment, else from a running `npm run infra`. */
export function infrastructure(): { readonly mongodbUri: string; readonly kafkaBrokers: string } {
  const { MONGODB_URI, KAFKA_BROKERS } = process.env;
  if (MONGODB_URI && KAFKA_BROKERS) return { mongodbUri: MONGODB_URI, kafkaBrokers: KAFKA_BROKERS };
  const file = findUp(join('.data', 'infra.json'));
  if (!file) {
    throw new Error(
      'Integration tests need a real MongoDB and Kafka. Run `npm test` (it brings its own), or `npm run infra` beside your editor.',
    );
  }
  return JSON.parse(readFileSync(file, 'utf8')) as { mongodbUri: string; kafkaBrokers: string };
}

function findUp(path: string): string | undefined {
  let folder = process.cwd();
  for (let i = 0; i < PARENTS_MAX; i++) {
    if (existsSync(join(folder, path))) return join(folder, path);
    folder = dirname(folder);
  }
  return undefined;
}
