import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeData, startStack, type Stack } from '@atelier/stack';
import type { NotMeasured } from './report.js';

/**
 * The platform on free ports with data of its own, for one bench; fsync is on, as it would be for real. With
 * `only: []` it is database and broker alone.
 */
export async function onStage<T>(
  { only }: { readonly only?: readonly string[] },
  work: (stack: Stack) => Promise<T>,
): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'atelier-bench-'));
  chmodSync(dataDir, 0o711);
  process.env['LOG_LEVEL'] ??= 'warn';
  // A bench is one client with the traffic of many.
  for (const name of ['RATE_API_BURST', 'RATE_API_PER_MINUTE', 'RATE_AUTH_BURST'])
    process.env[name] = '1000000';
  const say = (text: string) => console.log(text);
  try {
    const stack = await startStack({ ports: 'free', dataDir, say, ...(only && { only }) });
    try {
      return await work(stack);
    } finally {
      await stack.stop();
    }
  } finally {
    removeData(dataDir);
  }
}

const PARTS = { mongodb: 'the database', kafka: 'the broker' } as const;

/** Why the CPU cannot be told: what MONGODB_URI or KAFKA_BROKERS names is in nobody's process tree here. */
export function notOurs(
  { pids }: Pick<Stack, 'pids'>,
  ...parts: readonly (keyof typeof PARTS)[]
): NotMeasured | undefined {
  const missing = parts.find((part) => pids[part] === undefined);
  return missing && `not measured: ${PARTS[missing]} is not ours`;
}
