import { exampleEnvelope, newId } from '@atelier/kernel';
import { aDatabaseName, deleteTopics, eventually, startService } from '@atelier/testing';
import { DeadLetters } from './dead-letters.js';
import { toRecord } from './message.js';
import { notebookConfig, NotebookModule, NoteWritten, OnOrderGiven, OrderGiven } from './note.fixture.js';

const ORDERS = 40;
const COPIES = 3;
const SETTLED_MS = 60_000;

describe('two replicas on a real broker', () => {
  // Those of its own: other specs have topics of the same apps on this broker, at the same time.
  afterAll(() => deleteTopics((topic) => /^(notebook\.(note|orders)|office\.order)\b/.test(topic)));

  it('apply each event once, though each came three times and the partitions moved while batches were at work (promise 12)', async () => {
    const env = { MONGODB_DATABASE: aDatabaseName('notebook'), CONSUMER_KEYS_IN_FLIGHT_MAX: '1' };
    const start = () => startService(NotebookModule, notebookConfig, env, { bus: 'kafka' });
    const run = newId('run');
    const events = Array.from({ length: ORDERS }, (_, i) =>
      exampleEnvelope(OrderGiven, { text: `${run} ${i}` }, { subject: newId('ord') }),
    );
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    OnOrderGiven.before = async () => {
      if (++begun > ORDERS / 4) await gate.promise;
    };
    const first = await start();
    const notes = first.database.connection.collection('notes');
    const written = () => notes.countDocuments({ text: { $regex: `^${run}` } });
    const records = events.flatMap((event) => Array.from({ length: COPIES }, () => toRecord(event)));
    await first.bus.send([{ topic: OrderGiven.topic, records }]);
    await eventually(() => expect(begun).toBeGreaterThan(ORDERS / 4));
    // It has started when it has its share, and the others were told so in the middle of their batches.
    const second = await start();
    try {
      expect(await written()).toBeLessThan(ORDERS);
      gate.resolve();
      await eventually(async () => expect(await written()).toBe(ORDERS), SETTLED_MS);
      await second.settled(SETTLED_MS);
      expect(await written()).toBe(ORDERS);
      const texts = await notes.distinct('text', { text: { $regex: `^${run}` } });
      expect(texts).toHaveLength(ORDERS);
      const facts = await first.facts(NoteWritten);
      const own = facts.filter(({ data }) => data.text.startsWith(run));
      expect(new Set(own.map(({ id }) => id)).size).toBe(ORDERS);
      // A copy that was not known again would run into the note of the first.
      expect(await new DeadLetters(first.bus).list('notebook.orders')).toEqual([]);
    } finally {
      gate.resolve();
      OnOrderGiven.before = () => Promise.resolve();
      await second.close();
      await first.close();
    }
  });
});
