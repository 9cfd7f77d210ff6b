import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack, type Stack } from '@atelier/stack';

/** The whole platform on free ports with data of its own, for one bench; fsync is on, as it would be for real. */
export async function withPlatform<T>(work: (stack: Stack) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'atelier-bench-'));
  chmodSync(dataDir, 0o711);
  process.env['LOG_LEVEL'] ??= 'warn';
  // A bench is one client with the traffic of many.
  for (const name of ['RATE_API_BURST', 'RATE_API_PER_MINUTE', 'RATE_AUTH_BURST'])
    process.env[name] = '1000000';
  const stack = await startStack({ ports: 'free', dataDir, say: (text) => console.log(text) });
  try {
    return await work(stack);
  } finally {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
  }
}
