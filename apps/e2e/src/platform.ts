import { execFile } from 'node:child_process';
import { mkdtempSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeData, startStack, type Stack } from '@atelier/stack';

const ROOT = join(import.meta.dirname, '../../..');
const COMMAND_TIMEOUT_MS = 60_000;

/** The whole platform for one spec: real processes, Kafka and database, on free ports, with data of its own. */
export interface Platform extends Stack {
  readonly devLoginsFile: string;
  /** `npm run ledger -- verify` against this platform: rejects with its output when the books do not add up. */
  verifyLedger(): Promise<string>;
  close(): Promise<void>;
}

export async function startPlatform(): Promise<Platform> {
  const dataDir = mkdtempSync(join(tmpdir(), 'atelier-e2e-'));
  // The database refuses root and then runs as nobody, who must be able to pass.
  chmodSync(dataDir, 0o711);
  const stack = await startStack({ ports: 'free', dataDir, fsync: false });
  return {
    ...stack,
    get pids() {
      return stack.pids;
    },
    devLoginsFile: join(ROOT, '.data/dev-logins.json'),
    verifyLedger: async () => {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--import', '@atelier/stack/typescript', 'apps/ledger/src/cli.ts', 'verify'],
        {
          cwd: ROOT,
          timeout: COMMAND_TIMEOUT_MS,
          env: {
            ...process.env,
            NODE_OPTIONS: '',
            MONGODB_URI: stack.mongodbUri,
            MONGODB_DATABASE: stack.databaseOf('ledger'),
            KAFKA_BROKERS: stack.kafkaBrokers,
            NO_COLOR: '1',
          },
        },
      );
      return stdout;
    },
    close: async () => {
      await stack.stop();
      removeData(dataDir);
    },
  };
}
