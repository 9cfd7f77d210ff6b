import { newId } from '@atelier/kernel';
import { eventually } from '@atelier/testing';
import {
  lagOf,
  type BusRecord,
  type EventBus,
  type ReceivedRecord,
  type RecordBatch,
  type Subscription,
} from './event-bus.js';

const partitions = 4;

/** What every EventBus promises. `names` starts the names of all topics and groups that the suite makes. */
export function eventBusContract(open: () => Promise<EventBus>, names: string): void {
  let bus: EventBus;
  let topic: string;
  let group: string;
  const subscriptions: Subscription[] = [];

  beforeAll(async () => {
    bus = await open();
  });
  // Together, and not after each test: every group is of one test, and to stop one may take a second.
  afterAll(async () => {
    await Promise.all(subscriptions.map((subscription) => subscription.stop()));
    await bus.close();
  });
  beforeEach(async () => {
    topic = `${names}.${newId('topic')}`;
    group = `${names}.${newId('group')}`;
    await bus.ensureTopics([spec(topic)]);
  });

  const spec = (name: string, count = partitions) => ({
    topic: name,
    partitions: count,
    retentionMs: 3_600_000,
    cleanup: 'delete' as const,
  });
  const record = (key: string, value: string | null): BusRecord => ({
    key,
    value,
    headers: { from: 'a spec' },
  });
  const send = (...records: BusRecord[]) => bus.send([{ topic, records }]);
  /** Values 0 to n-1 of one key: they are in one partition, so their order is fixed. */
  const sendCount = (n: number, from = 0) =>
    send(...Array.from({ length: n }, (_, i) => record('one', String(from + i))));
  const lag = async () => lagOf(await bus.offsets(group, [topic]));
  const valuesOf = (records: readonly ReceivedRecord[]) => records.map(({ value }) => value);
  const counted = (n: number, from = 0) => Array.from({ length: n }, (_, i) => String(from + i));

  async function subscribe(
    onBatch: (batch: RecordBatch) => Promise<void>,
    of = group,
  ): Promise<Subscription> {
    const subscription = await bus.subscribe({
      group: of,
      topics: [topic],
      onBatch,
      onCrash: (error) => {
        throw error;
      },
    });
    subscriptions.push(subscription);
    return subscription;
  }
  /** A member that takes and commits everything. */
  async function collect(of = group): Promise<{ received: ReceivedRecord[]; stop(): Promise<void> }> {
    const received: ReceivedRecord[] = [];
    const subscription = await subscribe(async (batch) => {
      received.push(...batch.records);
      await batch.commit(batch.records.at(-1)!.offset);
    }, of);
    return { received, stop: () => subscription.stop() };
  }

  it('makes a topic once, however often it is asked, and refuses to have fewer partitions than asked for', async () => {
    await bus.ensureTopics([spec(topic), spec(`${topic}.other`)]);
    expect(await bus.topics()).toEqual(expect.arrayContaining([topic, `${topic}.other`]));
    await expect(bus.ensureTopics([spec(topic, partitions + 1)])).rejects.toThrow(topic);
  });

  it('keeps the order of the records of one key, and loses none', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e'];
    for (let round = 0; round < 20; round++) await send(...keys.map((key) => record(key, String(round))));
    const { received } = await collect();
    await eventually(() => expect(received).toHaveLength(100));
    for (const key of keys) {
      expect(valuesOf(received.filter((one) => one.key === key))).toEqual(counted(20));
    }
  });

  it('carries keys, headers, offsets and tombstones', async () => {
    await send(record('gone', 'value'), record('gone', null), { key: 'gone', value: 'bare', headers: {} });
    const { received } = await collect();
    await eventually(() => expect(received).toHaveLength(3));
    expect(received).toMatchObject([
      { topic, key: 'gone', value: 'value', headers: { from: 'a spec' }, offset: 0n },
      { topic, key: 'gone', value: null, headers: { from: 'a spec' }, offset: 1n },
      { topic, key: 'gone', value: 'bare', offset: 2n },
    ]);
    expect(received[2]!.headers).toEqual({});
  });

  it('delivers a failed batch again', async () => {
    await sendCount(3);
    const received: ReceivedRecord[] = [];
    let deliveries = 0;
    await subscribe(async (batch) => {
      if (++deliveries === 1) throw new Error('the first delivery fails');
      received.push(...batch.records);
      await batch.commit(batch.records.at(-1)!.offset);
    });
    await eventually(() => expect(valuesOf(received)).toEqual(counted(3)));
  });

  it('goes on after a commit in the middle of a batch that failed', async () => {
    await sendCount(5);
    const received: ReceivedRecord[] = [];
    await subscribe(async (batch) => {
      if (received.length === 0) {
        received.push(...batch.records.slice(0, 3));
        await batch.commit(batch.records[2]!.offset);
        throw new Error('fails after the third record');
      }
      received.push(...batch.records);
      await batch.commit(batch.records.at(-1)!.offset);
    });
    await eventually(() => expect(valuesOf(received)).toEqual(counted(5)));
  });

  it('goes on after the last commit when another subscriber comes', async () => {
    await sendCount(10);
    const first = await collect();
    await eventually(() => expect(first.received).toHaveLength(10));
    await first.stop();
    await sendCount(5, 10);
    const second = await collect();
    await eventually(() => expect(valuesOf(second.received)).toEqual(counted(5, 10)));
  });

  it('gives every group all records, and each record to one member of a group', async () => {
    const [one, two, other] = [await collect(), await collect(), await collect(`${group}.other`)];
    const key = (i: number): string => `key ${i}`;
    // Both are in when both were given something.
    await eventually(async () => {
      await send(...Array.from({ length: 20 }, (_, i) => record(key(i), 'are you there?')));
      expect(Math.min(one.received.length, two.received.length, other.received.length)).toBeGreaterThan(0);
    });
    await eventually(async () => expect(await lag()).toBe(0n));
    await send(...Array.from({ length: 20 }, (_, i) => record(key(i), 'once')));
    const once = ({ received }: { received: ReceivedRecord[] }) =>
      received.filter(({ value }) => value === 'once').map((one) => one.key);
    const all = Array.from({ length: 20 }, (_, i) => key(i)).sort();
    await eventually(() => expect([...once(one), ...once(two)].sort()).toEqual(all));
    await eventually(() => expect(once(other).sort()).toEqual(all));
    expect(once(one)).not.toEqual([]);
    expect(once(two)).not.toEqual([]);
  });

  it('tells a batch at work that its subscription stops, and waits for it', async () => {
    await sendCount(1);
    let state: 'waiting' | 'at work' | 'ended' = 'waiting';
    const subscription = await subscribe(async (batch) => {
      state = 'at work';
      await eventually(() => expect(batch.active()).toBe(false));
      state = 'ended';
    });
    await eventually(() => expect(state).toBe('at work'));
    await subscription.stop();
    expect(state).toBe('ended');
  });

  it('lets a batch at work commit what it has done when its subscription stops, so that it does not come again', async () => {
    await sendCount(3);
    let isAtWork = false;
    const subscription = await subscribe(async (batch) => {
      isAtWork = true;
      await eventually(() => expect(batch.active()).toBe(false));
      await batch.commit(batch.records[0]!.offset);
    });
    await eventually(() => expect(isAtWork).toBe(true));
    await Promise.all([subscription.stop(), subscription.stop()]);
    expect(await lag()).toBe(2n);
    const after = await collect();
    await eventually(() => expect(valuesOf(after.received)).toEqual(counted(2, 1)));
  });

  it('lets no record that takes long hold up another partition (promise 14)', async () => {
    const gate = Promise.withResolvers<void>();
    const received: ReceivedRecord[] = [];
    let slowPartition: number | undefined;
    await subscribe(async (batch) => {
      if (batch.records[0]!.value === 'slow') {
        slowPartition = batch.partition;
        await gate.promise;
      }
      received.push(...batch.records);
      await batch.commit(batch.records.at(-1)!.offset);
    });
    try {
      await send(record('one', 'slow'));
      await eventually(() => expect(slowPartition).toBeDefined());
      await send(...Array.from({ length: 20 }, (_, i) => record(`key ${i}`, 'quick')));
      await eventually(() => {
        expect(new Set(received.map(({ partition }) => partition)).size).toBe(partitions - 1);
      });
      expect(received.filter(({ partition }) => partition === slowPartition)).toEqual([]);
    } finally {
      gate.resolve();
    }
    await eventually(() => expect(received).toHaveLength(21));
    await eventually(async () => expect(await lag()).toBe(0n));
  });

  it('tells a batch at work that another member joins; what it did not begin is left for whoever has it then (promise 12)', async () => {
    await send(...Array.from({ length: 20 }, (_, i) => record(`key ${i}`, 'shared')));
    const told = new Set<number>();
    const begun: ReceivedRecord[] = [];
    let isAtWork = false;
    await subscribe(async (batch) => {
      if (told.size > 0) {
        begun.push(...batch.records);
        return batch.commit(batch.records.at(-1)!.offset);
      }
      isAtWork = true;
      await eventually(async () => {
        await batch.heartbeat().catch(() => undefined);
        // The in-memory bus takes single partitions away; of the others nothing is to be told.
        expect(batch.active() && told.size === 0).toBe(false);
      });
      if (!batch.active()) told.add(batch.partition);
    });
    await eventually(() => expect(isAtWork).toBe(true));
    const other = await collect();
    await eventually(() => expect(told.size).toBeGreaterThan(0));
    const all = Array.from({ length: 20 }, (_, i) => `key ${i}`).sort();
    await eventually(() => {
      expect([...new Set([...begun, ...other.received].map(({ key }) => key))].sort()).toEqual(all);
    });
    await eventually(async () => expect(await lag()).toBe(0n));
  });

  it('counts what a group has not committed', async () => {
    await sendCount(4);
    expect(await lag()).toBe(4n);
    const { received, stop } = await collect();
    await eventually(() => expect(received).toHaveLength(4));
    await eventually(async () => expect(lagOf(await bus.ownOffsets())).toBe(0n));
    expect(await lag()).toBe(0n);
    await stop();
    await sendCount(2);
    expect(await lag()).toBe(2n);
  });

  it('lets a group without members read again from the start, and refuses while it has some', async () => {
    await sendCount(6);
    const before = await collect();
    await eventually(() => expect(before.received).toHaveLength(6));
    await expect(bus.rewind(group, [topic])).rejects.toMatchObject({
      kind: 'conflict',
      code: 'platform.group.has_members',
    });
    await before.stop();
    await bus.rewind(group, [topic]);
    expect(await lag()).toBe(6n);
    const after = await collect();
    await eventually(() => expect(valuesOf(after.received)).toEqual(counted(6)));
  });

  it('reads a topic for several readers at once, and all of it for each', async () => {
    await send(...counted(5).map((value) => record(`key ${value}`, value)));
    const readers = [[], [], []] as ReceivedRecord[][];
    await Promise.all(readers.map((read) => bus.read(topic, (one) => read.push(one))));
    for (const read of readers) expect(valuesOf(read).sort()).toEqual(counted(5));
  });

  it('reads a topic once from end to end, whatever its groups have read, and nothing of one that is not there', async () => {
    await send(...counted(9).map((value) => record(`key ${value}`, value)));
    const read: ReceivedRecord[] = [];
    await bus.read(topic, (one) => read.push(one));
    expect(valuesOf(read).sort()).toEqual(counted(9));
    expect(await lag()).toBe(9n);
    await bus.read(`${topic}.nothing`, (one) => read.push(one));
    expect(read).toHaveLength(9);
  });
}
