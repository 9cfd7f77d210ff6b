import { Logger } from '@nestjs/common';
import type { Change } from '@atelier/kernel';
import type { Database, Outbox } from '@atelier/persistence';
import { aContext, aDatabaseName, eventually, openDatabase } from '@atelier/testing';
import type { BusRecord, ReceivedRecord } from './event-bus.js';
import { MemoryBus } from './memory-bus.js';
import { NoteRepository, NoteWritten, OrderGiven } from './note.fixture.js';
import { Relay } from './relay.js';

const limits = { sweepMs: 50, leaseMs: 1_000, batchMax: 50, batchBytesMax: 100_000 };
type Batches = readonly { topic: string; records: readonly BusRecord[] }[];

/** A bus that a test can take down, or let die between the broker's answer and the next step of its caller. */
class FragileBus extends MemoryBus {
  mode: 'up' | 'down' | 'dies after sending' = 'up';
  /** The broker takes no record of these topics. */
  readonly refuses = new Set<string>();
  sent = 0;
  tries = 0;
  mostBytes = 0;

  constructor(private readonly broker: MemoryBus) {
    super();
  }

  override async send(batches: Batches): Promise<void> {
    this.tries++;
    if (this.mode === 'down') throw new Error('the broker is away');
    const refused = batches.find(({ topic }) => this.refuses.has(topic));
    if (refused) throw new Error('the record is too large');
    const texts = batches.flatMap(({ records }) =>
      records.flatMap(({ key, value, headers }) => [key, value, ...Object.entries(headers).flat()]),
    );
    this.mostBytes = Math.max(this.mostBytes, texts.join('').length);
    await this.broker.send(batches);
    this.sent += batches.reduce((sum, { records }) => sum + records.length, 0);
    // A process that is killed here never comes back: neither to delete the rows nor to renew its leases.
    if (this.mode === 'dies after sending') await new Promise(() => undefined);
  }
}

describe('the outbox relay', () => {
  Logger.overrideLogger(false);
  const name = aDatabaseName('notebook');
  const open: { close(): Promise<void> }[] = [];
  const relays: Relay[] = [];
  let broker: MemoryBus;
  let notes: NoteRepository;
  let outbox: Outbox;
  let database: Database;

  /** What one process of the service has; several of them share the database. */
  async function startProcess() {
    const process = await openDatabase(
      { database: 'notebook', name },
      (of, its) => new NoteRepository(of, its),
    );
    open.push(process);
    return { ...process, notes: process.repositories };
  }
  function startRelay(of: { database: Database; outbox: Outbox }, more: Partial<typeof limits> = {}) {
    const bus = new FragileBus(broker);
    const relay = new Relay(of.database, of.outbox, bus, { ...limits, ...more });
    relay.start();
    relays.push(relay);
    return { bus, relay };
  }
  async function writeNote(id: string, versions: number, into = notes): Promise<void> {
    let state = { id, version: 0, ownerId: 'usr_1', text: '', createdAt: new Date() };
    for (let i = 0; i < versions; i++) {
      const text = `${i + 1}`;
      const change: Change<typeof state> = { state: { ...state, text }, events: [NoteWritten(id, { text })] };
      state = { ...(await into.save(change, aContext())) };
    }
  }
  async function published(): Promise<ReceivedRecord[]> {
    const records: ReceivedRecord[] = [];
    await broker.read(NoteWritten.topic, (record) => records.push(record));
    return records;
  }
  const versionsOf = (records: readonly ReceivedRecord[], key: string) =>
    records.filter((record) => record.key === key).map(({ headers }) => Number(headers['ce_version']));
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
  const waiting = () => outbox.rows.collection.countDocuments({});

  beforeAll(async () => {
    ({ database, outbox, notes } = await startProcess());
  });
  beforeEach(async () => {
    broker = new MemoryBus();
    await broker.ensureTopics([{ topic: NoteWritten.topic, ...NoteWritten.topicOptions }]);
  });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    await outbox.rows.collection.deleteMany({});
    await database.connection.collection('_outbox_leases').deleteMany({});
  });
  afterAll(async () => {
    await database.connection.dropDatabase();
    await Promise.all(open.map((process) => process.close()));
  });

  it('repeats a fact and loses none when its process dies between the broker and the deletion', async () => {
    const first = startRelay({ database, outbox }, { leaseMs: 300 });
    first.bus.mode = 'dies after sending';
    relays.splice(0);
    await writeNote('not_1', 2);
    await eventually(() => expect(first.bus.sent).toBeGreaterThan(0));
    expect(await waiting()).toBeGreaterThan(0);

    startRelay(await startProcess(), { leaseMs: 300 });
    await eventually(async () => expect(await waiting()).toBe(0));
    const records = await published();
    expect(records.length).toBeGreaterThan(2);
    expect(new Set(records.map(({ headers }) => headers['ce_id'])).size).toBe(2);
    expect([...new Set(versionsOf(records, 'not_1'))]).toEqual([1, 2]);
  });

  it('sweeps up what another process committed and never told it of', async () => {
    startRelay({ database, outbox });
    const other = await startProcess();
    await writeNote('not_2', 1, other.notes);
    await eventually(async () => expect(versionsOf(await published(), 'not_2')).toEqual([1]));
  });

  it('publishes nothing of a transaction that did not commit', async () => {
    startRelay({ database, outbox });
    await expect(
      database.transaction(async () => {
        await writeNote('not_3', 1);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await writeNote('not_4', 1);
    await eventually(async () => expect(versionsOf(await published(), 'not_4')).toEqual([1]));
    expect(versionsOf(await published(), 'not_3')).toEqual([]);
  });

  it('lets writes succeed while the broker is away, and drains in order when it is back', async () => {
    const { bus, relay } = startRelay({ database, outbox });
    bus.mode = 'down';
    await Promise.all(['not_5', 'not_6', 'not_7'].map((id) => writeNote(id, 40)));
    await eventually(() => expect(relay.trouble).toBe(`${NoteWritten.topic}: the broker is away`));
    expect(await waiting()).toBe(120);
    expect(await published()).toEqual([]);
    bus.mode = 'up';
    await eventually(async () => expect(await waiting()).toBe(0));
    await eventually(() => expect(relay.trouble).toBeUndefined());
    for (const id of ['not_5', 'not_6', 'not_7']) {
      expect(versionsOf(await published(), id)).toEqual(upTo(40));
    }
  });

  it('goes on with other topics while the broker refuses one, says which, and tries it again at its own pace', async () => {
    const other = 'notebook.page.v1';
    await broker.ensureTopics([{ topic: other, ...NoteWritten.topicOptions }]);
    const { bus, relay } = startRelay({ database, outbox }, { batchMax: 5 });
    bus.refuses.add(NoteWritten.topic);
    await writeNote('not_refused', 20);
    await eventually(() => expect(relay.trouble).toBe(`${NoteWritten.topic}: the record is too large`));
    // More than a batch of the refused topic is before it.
    const row = await outbox.rows.collection.findOne({});
    for (let i = 0; i < 10; i++) {
      const moved = { ...row, _id: `evt_z${i}` as never, topic: other };
      await outbox.rows.collection.insertOne(moved);
    }
    await eventually(async () =>
      expect(await outbox.rows.collection.countDocuments({ topic: other })).toBe(0),
    );
    expect(await waiting()).toBe(20);
    // Commits wake it, and are no reason to try what was refused just now.
    const before = bus.tries;
    await writeNote('not_refused_too', 100);
    expect(bus.tries - before).toBeLessThan(50);
    bus.refuses.clear();
    await eventually(async () => expect(await waiting()).toBe(0));
    expect(versionsOf(await published(), 'not_refused')).toEqual(upTo(20));
    await eventually(() => expect(relay.trouble).toBeUndefined());
  });

  it('sends no more bytes together than allowed, and a fact that is longer by itself', async () => {
    const { bus } = startRelay({ database, outbox }, { batchBytesMax: 2_000 });
    bus.mode = 'down';
    await writeNote('not_small', 30);
    bus.mode = 'up';
    await eventually(async () => expect(await waiting()).toBe(0));
    expect(bus.mostBytes).toBeLessThan(2_000);
    expect(bus.sent).toBe(30);
    await relays[0]!.stop();
    const { bus: narrow } = startRelay({ database, outbox }, { batchBytesMax: 1 });
    await writeNote('not_by_itself', 1);
    await eventually(async () => expect(await waiting()).toBe(0));
    expect(narrow.sent).toBe(1);
  });

  it('publishes all that is left when it stops, not only a batch of it', async () => {
    const { bus, relay } = startRelay({ database, outbox }, { batchMax: 5, leaseMs: 60_000 });
    bus.mode = 'down';
    await writeNote('not_last', 23);
    await eventually(() => expect(relay.trouble).toBeDefined());
    bus.mode = 'up';
    await relay.stop();
    expect(await waiting()).toBe(0);
    expect(versionsOf(await published(), 'not_last')).toEqual(upTo(23));
  });

  it('shares the keys with another relay, and each key keeps its order', async () => {
    const processes = [{ database, outbox, notes }, await startProcess()];
    // Longer than a machine stalls: a lease that is over meanwhile lets both send the same.
    const buses = processes.map((one) => startRelay(one, { leaseMs: 6_000 }).bus);
    const leases = database.connection.collection<{ _id: number | string; owner: string }>('_outbox_leases');
    await eventually(async () => {
      // The rest are the relays themselves.
      const buckets = (await leases.find({}).toArray()).filter(({ _id }) => typeof _id === 'number');
      const owners = buckets.map(({ owner }) => owner);
      expect([...Map.groupBy(owners, (owner) => owner).values()].map((of) => of.length)).toEqual([4, 4]);
    });
    const keys = Array.from({ length: 24 }, (_, i) => `not_shared_${i}`);
    await Promise.all(keys.map((id, i) => writeNote(id, 5, processes[i % 2]!.notes)));
    await eventually(async () => expect(await waiting()).toBe(0));
    const records = await published();
    for (const key of keys) expect(versionsOf(records, key)).toEqual(upTo(5));
    for (const bus of buses) expect(bus.sent).toBeGreaterThan(0);
  });

  it('hands its keys over at once when it stops', async () => {
    const first = startRelay({ database, outbox }, { leaseMs: 600_000 });
    await writeNote('not_8', 1);
    await eventually(async () => expect(await waiting()).toBe(0));
    await first.relay.stop();
    startRelay(await startProcess());
    await writeNote('not_8b', 1);
    await eventually(async () => expect(versionsOf(await published(), 'not_8b')).toEqual([1]));
  });

  it('is never asked to publish a fact of another service: the state is not saved either', async () => {
    const state = { id: 'not_9', version: 0, ownerId: 'usr_1', text: 'x', createdAt: new Date() };
    const change = { state, events: [OrderGiven('not_9', { text: 'x' })] };
    await expect(notes.save(change, aContext())).rejects.toThrow(
      'notebook must not publish office.order.given.v1: its owner is office',
    );
    expect(await notes.load('not_9', { ownerId: 'usr_1' })).toBeUndefined();
    expect(await waiting()).toBe(0);
  });
});
