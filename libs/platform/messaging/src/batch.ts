import type { ReceivedRecord, RecordBatch } from './event-bus.js';

/**
 * Works through a batch with order per key: records of one key one after the other, keys side by side up to a
 * limit. Commits as far as everything before is done, so that a crash repeats work and never loses it.
 */
export async function runBatch(
  batch: RecordBatch,
  keysInFlightMax: number,
  commitEveryMs: number,
  work: (record: ReceivedRecord) => Promise<void>,
): Promise<void> {
  const chains = [...Map.groupBy(batch.records.keys(), (index) => batch.records[index]!.key).values()];
  const done = new Uint8Array(batch.records.length);
  let next = 0;
  let firstOpen = 0;
  let committed = 0;
  let failure: Error | undefined;

  const commitDone = async (): Promise<void> => {
    while (firstOpen < done.length && done[firstOpen]) firstOpen++;
    if (firstOpen > committed) {
      const upTo = firstOpen;
      await batch.commit(batch.records[upTo - 1]!.offset);
      committed = upTo;
    }
  };

  const lane = async (): Promise<void> => {
    while (next < chains.length && failure === undefined) {
      for (const index of chains[next++]!) {
        if (failure !== undefined || !batch.active()) return;
        await work(batch.records[index]!);
        done[index] = 1;
      }
    }
  };

  let lastCommitAt = Date.now();
  let committing: Promise<void> = Promise.resolve();
  const pulse = setInterval(() => {
    committing = committing
      .then(async () => {
        await batch.heartbeat();
        if (Date.now() - lastCommitAt >= commitEveryMs) {
          lastCommitAt = Date.now();
          await commitDone();
        }
      })
      // A rebalance in between: the next fetch starts from what was committed.
      .catch(() => undefined);
  }, commitEveryMs);
  try {
    await Promise.all(
      Array.from({ length: Math.min(keysInFlightMax, chains.length) }, () =>
        lane().catch((error: unknown) => {
          failure ??= error instanceof Error ? error : new Error(String(error));
        }),
      ),
    );
  } finally {
    clearInterval(pulse);
    await committing;
  }
  await commitDone();
  if (failure !== undefined) throw failure;
}
