import { setImmediate as tick } from 'node:timers/promises';
import { eventually } from '@atelier/testing';
import { runBatch } from './batch.js';
import type { ReceivedRecord, RecordBatch } from './event-bus.js';

const COMMIT_EVERY_MS = 5;

/** A batch of one partition: each letter is a record's key, its place in the text is the offset. */
function batchOf(keys: string) {
  const state = { isActive: true, commits: [] as bigint[], heartbeats: 0 };
  const records = [...keys].map((key, offset): ReceivedRecord => ({
    topic: 'topic',
    partition: 0,
    offset: BigInt(offset),
    key,
    value: '',
    headers: {},
  }));
  const batch: RecordBatch = {
    topic: 'topic',
    partition: 0,
    records,
    heartbeat: async () => void state.heartbeats++,
    commit: async (offset) => void state.commits.push(offset),
    active: () => state.isActive,
  };
  return { batch, state };
}
const at = ({ offset }: ReceivedRecord): number => Number(offset);

describe('the work on a batch', () => {
  it('handles the records of one key one after the other, and other keys meanwhile', async () => {
    const { batch, state } = batchOf('aabab');
    const gate = Promise.withResolvers<void>();
    const done: number[] = [];
    const working = runBatch(batch, 2, COMMIT_EVERY_MS, async (record) => {
      if (at(record) === 0) await gate.promise;
      await tick();
      done.push(at(record));
    });
    await eventually(() => expect(done).toEqual([2, 4]));
    gate.resolve();
    await working;
    expect(done).toEqual([2, 4, 0, 1, 3]);
    expect(state.commits.at(-1)).toBe(4n);
  });

  it('works on no more keys at once than allowed', async () => {
    const { batch } = batchOf('abcdef');
    let [now, most] = [0, 0];
    await runBatch(batch, 3, COMMIT_EVERY_MS, async () => {
      most = Math.max(most, ++now);
      await tick();
      now--;
    });
    expect(most).toBe(3);
  });

  it('commits only as far as everything before is done, and says meanwhile that it is alive', async () => {
    const { batch, state } = batchOf('abc');
    const gate = Promise.withResolvers<void>();
    const working = runBatch(batch, 3, COMMIT_EVERY_MS, (record) =>
      at(record) === 1 ? gate.promise : Promise.resolve(),
    );
    await eventually(() => expect(state.heartbeats).toBeGreaterThan(3));
    expect(state.commits).toEqual([0n]);
    gate.resolve();
    await working;
    expect(state.commits).toEqual([0n, 2n]);
  });

  it('commits what was done before a failure, and fails', async () => {
    const { batch, state } = batchOf('abcabc');
    const done: number[] = [];
    const working = runBatch(batch, 1, COMMIT_EVERY_MS, async (record) => {
      if (at(record) === 1) throw new Error('cannot');
      done.push(at(record));
    });
    await expect(working).rejects.toThrow('cannot');
    // Both records of a; b failed, so c was not begun and nothing after b is committed.
    expect(done).toEqual([0, 3]);
    expect(state.commits).toEqual([0n]);
  });

  it('begins nothing more once it is told to end, and commits what it has done', async () => {
    const { batch, state } = batchOf('aaa');
    const done: number[] = [];
    await runBatch(batch, 1, COMMIT_EVERY_MS, async (record) => {
      done.push(at(record));
      state.isActive = false;
    });
    expect(done).toEqual([0]);
    expect(state.commits).toEqual([0n]);
  });
});
