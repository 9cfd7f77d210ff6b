import { setTimeout as sleep } from 'node:timers/promises';

const TIMEOUT_MS = 15_000;
/** Most of what is waited for is there in a moment; what is not is not asked for all the time. */
const POLL_MS_MAX = 20;

/** Repeats an assertion until it holds; after the time-out its last error is the test's. Never sleep in a test. */
export async function eventually<T>(assertion: () => T | Promise<T>, timeoutMs = TIMEOUT_MS): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, POLL_MS_MAX)) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(pauseMs);
    }
  }
}
