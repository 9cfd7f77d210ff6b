import { setTimeout as sleep } from 'node:timers/promises';

const TIMEOUT_MS = 15_000;
const POLL_MS = 20;

/** Repeats an assertion until it holds; after the time-out its last error is the test's. Never sleep in a test. */
export async function eventually<T>(assertion: () => T | Promise<T>, timeoutMs = TIMEOUT_MS): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}
