import { Module } from '@nestjs/common';
import { z } from 'zod';
import { defineEvent, exampleEnvelope, newId } from '@atelier/kernel';
import { PersistenceModule } from '@atelier/persistence';
import { deleteTopics, eventually, infrastructure, startService, startTcpProxy } from '@atelier/testing';
import { Consumer, type Consumes } from './consumer.js';
import { MessagingModule } from './messaging.module.js';
import { notebookConfig, NotebookModule, OnOrderGiven, OrderGiven, tries } from './note.fixture.js';

const order = (text: string) => exampleEnvelope(OrderGiven, { text }, { subject: newId('ord') });
/** Letters only, as the name of an event wants them. */
const run = [...newId('run').slice(4)].map((c) => String.fromCharCode(97 + (parseInt(c, 36) % 26))).join('');
const LONG_SESSIONS = 2.5;
/** The shortest that the broker allows. */
const SESSION_TIMEOUT_MS = 6_000;

describe('the consumer runtime in trouble', () => {
  afterEach(() => {
    OnOrderGiven.before = () => Promise.resolve();
    OnOrderGiven.broken.clear();
  });

  it('waits for a database that is away, and makes no dead letter of an outage', async () => {
    const { hostname, port } = new URL(infrastructure().mongodbUri);
    const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const service = await startService(NotebookModule, notebookConfig, {
      // Direct, or the driver would find its own way around the proxy.
      MONGODB_URI: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
      CONSUMER_ATTEMPTS_MAX: '1',
      CONSUMER_OUTAGE_PAUSE_MS: '50',
    });
    try {
      const event = order('through the outage');
      OnOrderGiven.before = async () => {
        if (tries.get(event.id) === 1) proxy.cut();
      };
      const handled = service.publish(event);
      // So long that the driver has given up at least once.
      const untilGivenUpMs = 30_000;
      await eventually(() => expect(proxy.refused).toBeGreaterThan(15), untilGivenUpMs);
      expect(await service.deadLetters()).toEqual([]);
      proxy.restore();
      await handled;
      expect(await service.deadLetters()).toEqual([]);
      const notes = service.database.connection.collection('notes');
      expect(await notes.countDocuments({ text: 'through the outage' })).toBe(1);
    } finally {
      proxy.restore();
      await service.close();
      await proxy.close();
    }
  });

  it('turns readiness off while a consumer is stuck at one event, and on again when it gets on', async () => {
    const service = await startService(NotebookModule, notebookConfig, { CONSUMER_STUCK_MS: '1000' });
    try {
      const gate = Promise.withResolvers<void>();
      OnOrderGiven.before = () => gate.promise;
      const ready = async () => {
        const response = await fetch(`${service.url}/health/ready`);
        return { status: response.status, text: await response.text() };
      };
      expect((await ready()).status).toBe(200);
      const handled = service.publish(order('slow'));
      await eventually(async () =>
        expect(await ready()).toMatchObject({
          status: 503,
          text: expect.stringContaining('notebook.orders has been at one event') as string,
        }),
      );
      expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
      gate.resolve();
      await handled;
      expect((await ready()).status).toBe(200);
    } finally {
      await service.close();
    }
  });

  it('keeps its partition while one event takes longer than its session with the broker', async () => {
    const LongTaskGiven = defineEvent({
      type: `office.task_${run}.given.v1`,
      summary: 'Somebody gave a task.',
      data: z.object({}),
      example: {},
    });
    let handlings = 0;
    const ended: number[] = [];

    @Consumer({ id: `notebook.on-${run}`, group: `notebook.${run}`, consumes: LongTaskGiven })
    class OnLongTask implements Consumes<typeof LongTaskGiven> {
      async handle(): Promise<void> {
        const handling = ++handlings;
        await new Promise((resolve) => setTimeout(resolve, SESSION_TIMEOUT_MS * LONG_SESSIONS));
        ended.push(handling);
      }
    }
    @Module({
      imports: [
        PersistenceModule.forRoot({ database: 'notebook' }),
        MessagingModule.forRoot({ app: 'notebook', publishes: [] }),
      ],
      controllers: [OnLongTask],
    })
    class TaskModule {}

    const env = { CONSUMER_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS) };
    const service = await startService(TaskModule, notebookConfig, env, { bus: 'kafka' });
    try {
      await service.publish(exampleEnvelope(LongTaskGiven, {}));
      await eventually(() => expect(ended).toEqual([1]), SESSION_TIMEOUT_MS * LONG_SESSIONS * 2);
      await service.settled();
      expect(handlings).toBe(1);
    } finally {
      await service.close();
      await deleteTopics((topic) => topic.includes(run));
    }
  });
});
