import { jest } from '@jest/globals';
import { exampleEnvelope, newId } from '@atelier/kernel';
import {
  aService,
  aUser,
  eventually,
  recordQueries,
  startService,
  type RecordedQueries,
  type ServiceUnderTest,
} from '@atelier/testing';
import { DeadLetters, deadTopic } from './dead-letters.js';
import { hasMembers } from './event-bus.js';
import {
  NoteCount,
  NoteRepository,
  notebookConfig,
  NotebookModule,
  NoteWritten,
  OnOrderGiven,
  OrderGiven,
  tries,
} from './note.fixture.js';

const order = (text: string, subject: string = newId('ord'), version = 1) =>
  exampleEnvelope(OrderGiven, { text }, { subject, version });

describe('a service on the messaging runtime', () => {
  let service: ServiceUnderTest;
  let queries: RecordedQueries;
  const notes = () => service.database.connection.collection('notes');

  beforeAll(async () => {
    service = await startService(NotebookModule, notebookConfig, { CONSUMER_BACKOFF_BASE_MS: '1' });
    queries = recordQueries(service.database);
  });
  afterAll(() => service.close());
  beforeEach(() => OnOrderGiven.broken.clear());

  it('states a fact for every change, once, after its commit', async () => {
    const author = aUser();
    const answer = await service.as(author).post('/api/v1/notes', { text: 'first' });
    expect(answer.status).toBe(201);
    const facts = await service.facts(NoteWritten);
    expect(facts.filter(({ subject }) => subject === answer.body.id)).toMatchObject([
      { data: { text: 'first' }, version: 1, actor: `user:${author.id}` },
    ]);
  });

  it('writes neither state nor fact when the state is refused', async () => {
    const before = await notes().countDocuments({});
    const answer = await service.as(aUser()).post('/api/v1/notes', { text: 'x'.repeat(101) });
    expect(answer.status).toBe(500);
    expect(await notes().countDocuments({})).toBe(before);
    expect((await service.facts(NoteWritten)).some(({ data }) => data.text.length > 100)).toBe(false);
  });

  it('answers a repeated idempotency key with the first answer and writes once', async () => {
    const author = aUser();
    const headers = { 'idempotency-key': 'one' };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => service.as(author).post('/api/v1/notes', { text: 'same' }, headers)),
    );
    const repeat = await service.as(author).post('/api/v1/notes', { text: 'same' }, headers);
    expect(repeat.status).toBe(201);
    expect(repeat.headers.get('idempotency-replayed')).toBe('true');
    expect(new Set(answers.map(({ status }) => status))).toEqual(
      new Set(answers.some((a) => a.status === 409) ? [201, 409] : [201]),
    );
    expect(await notes().countDocuments({ ownerId: author.id })).toBe(1);
    const other = await service.as(author).post('/api/v1/notes', { text: 'other' }, headers);
    expect(other).toMatchObject({ status: 422, body: { code: 'platform.idempotency.key_reused' } });
    expect(await notes().countDocuments({ ownerId: author.id })).toBe(1);
  });

  it('handles a fact that is delivered twice once', async () => {
    const event = order('twice');
    await service.redeliver(event);
    expect(await notes().countDocuments({ text: 'twice' })).toBe(1);
    expect(tries.get(event.id)).toBe(1);
  });

  it('undoes what a failed try wrote, and tries again', async () => {
    const event = order('once more');
    await service.publish(event);
    expect(tries.get(event.id)).toBe(2);
    expect(await notes().countDocuments({ text: 'once more' })).toBe(1);
    expect((await service.facts(NoteWritten)).filter(({ data }) => data.text === 'once more')).toHaveLength(
      1,
    );
  });

  it('sets a poison message aside and goes on; later ones of its key wait, and a replay restores their order', async () => {
    const subject = newId('ord');
    OnOrderGiven.broken.add('poison');
    const [poison, behind, elsewhere] = [
      order('poison', subject, 1),
      order('behind', subject, 2),
      order('elsewhere'),
    ];
    await service.publish(poison, behind, elsewhere);
    expect(await notes().countDocuments({ text: { $in: ['poison', 'behind'] } })).toBe(0);
    expect(await notes().countDocuments({ text: 'elsewhere' })).toBe(1);

    const deadLetters = new DeadLetters(service.bus);
    const letters = await deadLetters.list('notebook.orders');
    expect(letters).toMatchObject([
      { reason: 'the pen is dry', attempts: 6, original: { topic: 'office.order.v1' } },
      { reason: 'an earlier event of this key is a dead letter of this consumer', attempts: 1 },
    ]);

    OnOrderGiven.broken.clear();
    for (const letter of letters) await deadLetters.order(letter, 'replay');
    await service.settled();
    const rows = await notes()
      .find({ text: { $in: ['poison', 'behind'] } })
      .sort({ createdAt: 1 })
      .toArray();
    expect(rows.map(({ text }) => text as string)).toEqual(['poison', 'behind']);
    await eventually(async () => expect(await deadLetters.list('notebook.orders')).toEqual([]));
  });

  it('lets a key flow on when its dead letter could not be written and the event succeeds at its next coming', async () => {
    const subject = newId('ord');
    OnOrderGiven.broken.add('almost lost');
    const { bus } = service;
    const send = bus.send.bind(bus);
    let refusals = 0;
    const spy = jest.spyOn(bus, 'send').mockImplementation((batches) => {
      if (refusals > 0 || batches[0]?.topic !== deadTopic('notebook.orders').topic) return send(batches);
      refusals++;
      OnOrderGiven.broken.clear();
      return Promise.reject(new Error('the broker is away'));
    });
    try {
      await service.publish(order('almost lost', subject, 1));
      expect(refusals).toBe(1);
    } finally {
      spy.mockRestore();
    }
    await service.publish(order('its successor', subject, 2));
    expect(await notes().countDocuments({ text: { $in: ['almost lost', 'its successor'] } })).toBe(2);
    expect(await new DeadLetters(bus).list('notebook.orders')).toEqual([]);
  });

  it('drops a dead letter on order and lets its key flow again', async () => {
    const subject = newId('ord');
    OnOrderGiven.broken.add('drop me');
    await service.publish(order('drop me', subject, 1));
    const deadLetters = new DeadLetters(service.bus);
    const [letter] = await deadLetters.list('notebook.orders');
    await deadLetters.order(letter!, 'drop');
    await service.settled();
    await service.publish(order('after the drop', subject, 2));
    expect(await notes().countDocuments({ text: 'after the drop' })).toBe(1);
    expect(await deadLetters.list('notebook.orders')).toEqual([]);
  });

  it('makes a record that breaks its contract a dead letter at once', async () => {
    const event = { ...order('unreadable'), data: { text: 5 } as unknown as { text: string } };
    await service.publish(event);
    expect(await service.deadLetters()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ reason: expect.stringContaining('breaks its contract: text') as string }),
      ]),
    );
    expect(tries.get(event.id)).toBeUndefined();
  });

  it('rebuilds a projection by replay to the same numbers', async () => {
    await service.settled();
    const projection = service.app.get(NoteCount);
    const before = await projection.count();
    expect(before).toBe((await service.facts(NoteWritten)).length);
    const answer = await service
      .as(aService('operator'))
      .post('/internal/projections/notebook.note-count/replay');
    expect(answer).toMatchObject({ status: 200, body: { events: before } });
    expect(await projection.count()).toBe(before);
    const unknown = await service
      .as(aService('operator'))
      .post('/internal/projections/notebook.nothing/replay');
    expect(unknown).toMatchObject({ status: 404, body: { code: 'platform.projection.not_found' } });
  });

  it('refuses a replay that would lose what the topics have no longer, unless that is wanted', async () => {
    await service.settled();
    const { bus } = service;
    const offsets = bus.offsets.bind(bus);
    // As after the retention of its topic.
    bus.offsets = async (...args) => (await offsets(...args)).map((offset) => ({ ...offset, start: 5n }));
    try {
      const before = await service.app.get(NoteCount).count();
      const path = '/internal/projections/notebook.note-count/replay';
      const refused = await service.as(aService('operator')).post(path);
      expect(refused).toMatchObject({ status: 409, body: { code: 'platform.projection.facts_deleted' } });
      expect(await service.app.get(NoteCount).count()).toBe(before);
      expect((await service.as(aService('operator')).post(`${path}?lossy=true`)).status).toBe(200);
    } finally {
      bus.offsets = offsets;
    }
  });

  it('empties nothing while another replica reads, refuses a second replay, and reads on when one fails', async () => {
    await service.settled();
    const projection = service.app.get(NoteCount);
    const before = await projection.count();
    const replay = () =>
      service.as(aService('operator')).post('/internal/projections/notebook.note-count/replay');
    const rewind = jest.spyOn(service.bus, 'rewind').mockRejectedValueOnce(hasMembers('notebook.note-count'));
    expect(await replay()).toMatchObject({ status: 409, body: { code: 'platform.group.has_members' } });
    rewind.mockRestore();
    expect(await projection.count()).toBe(before);

    const gate = Promise.withResolvers<void>();
    const reset = jest.spyOn(projection, 'reset').mockImplementation(async () => {
      await gate.promise;
      throw new Error('the view cannot be emptied');
    });
    const failing = replay();
    await eventually(() => expect(reset).toHaveBeenCalled());
    expect(await replay()).toMatchObject({ status: 409, body: { code: 'platform.projection.replaying' } });
    gate.resolve();
    expect((await failing).status).toBe(500);
    reset.mockRestore();
    await service.as(aUser()).post('/api/v1/notes', { text: 'after the replays' });
    await service.settled();
    expect(await projection.count()).toBe(before + 1);
  });

  it('pages through a list by cursor without missing or repeating a row', async () => {
    const author = aUser();
    for (let i = 0; i < 5; i++) await service.as(author).post('/api/v1/notes', { text: `note ${i}` });
    const repository = service.app.get(NoteRepository);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await repository.list(author.id, 2, cursor);
      seen.push(...page.items.map(({ text }) => text));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen).toEqual(['note 4', 'note 3', 'note 2', 'note 1', 'note 0']);
  });

  it('finds everything that it reads by an index', async () => {
    await queries.expectEveryQueryToUseAnIndex();
  });
});
