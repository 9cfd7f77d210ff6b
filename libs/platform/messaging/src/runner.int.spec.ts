import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { Logger, Module } from '@nestjs/common';
import { z } from 'zod';
import { ACTOR_HEADER, ActorSigner } from '@atelier/auth';
import { defineEvent, exampleEnvelope, newId } from '@atelier/kernel';
import { PersistenceModule } from '@atelier/persistence';
import {
  aDatabaseName,
  aUser,
  deleteTopics,
  dropDatabase,
  eventually,
  infrastructure,
  startService,
  startTcpProxy,
} from '@atelier/testing';
import { Consumer, type Consumes } from './consumer.js';
import { MemoryBus } from './memory-bus.js';
import { MessagingModule } from './messaging.module.js';
import { toRecord } from './message.js';
import { notebookConfig, NotebookModule, OnOrderGiven, OrderGiven, tries } from './note.fixture.js';

const order = (text: string) => exampleEnvelope(OrderGiven, { text }, { subject: newId('ord') });
/** Letters only, as the name of an event wants them. */
const run = [...newId('run').slice(4)].map((c) => String.fromCharCode(97 + (parseInt(c, 36) % 26))).join('');
const STUCK_FIXTURE = new URL('./stuck.fixture.ts', import.meta.url);
const LONG_TASK_SETTLED_MS = 45_000;
const STARTED_MS = 40_000;
/** An outage that the driver has given up on at least once. */
const OUTAGE_SETTLED_MS = 60_000;
/** The broker counts to the millisecond: what is longer is over. */
const LONG_SESSIONS = 1.5;
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
    const env = {
      // Direct, or the driver would find its own way around the proxy.
      MONGODB_URI: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`,
      CONSUMER_ATTEMPTS_MAX: '1',
      CONSUMER_OUTAGE_PAUSE_MS: '50',
      MONGODB_SERVER_SELECTION_TIMEOUT_MS: '500',
    };
    // Again where a busy machine takes longer to its first connection: that is not the outage that is meant.
    const service = await eventually(() => startService(NotebookModule, notebookConfig, env));
    try {
      const event = order('through the outage');
      OnOrderGiven.before = async () => {
        if (tries.get(event.id) === 1) proxy.cut();
      };
      const warnings = jest.spyOn(Logger.prototype, 'warn');
      await service.bus.send([{ topic: OrderGiven.topic, records: [toRecord(event)] }]);
      const waits = expect.stringContaining('the database is away') as string;
      await eventually(() => expect(warnings).toHaveBeenCalledWith(waits), OUTAGE_SETTLED_MS);
      warnings.mockRestore();
      expect(await service.deadLetters()).toEqual([]);
      proxy.restore();
      await service.settled(OUTAGE_SETTLED_MS);
      expect(await service.deadLetters()).toEqual([]);
      const notes = service.database.connection.collection('notes');
      await eventually(async () =>
        expect(await notes.countDocuments({ text: 'through the outage' })).toBe(1),
      );
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
      await eventually(async () => expect((await ready()).status).toBe(200));
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
      await eventually(async () => expect((await ready()).status).toBe(200));
    } finally {
      await service.close();
    }
  });

  it('turns readiness off while a group reads nothing although there is something to read (promise 16)', async () => {
    const subscribe = Reflect.get<MemoryBus, 'subscribe'>(MemoryBus.prototype, 'subscribe');
    const subscriptions = jest.spyOn(MemoryBus.prototype, 'subscribe');
    subscriptions.mockImplementation(function (this: MemoryBus, options) {
      // It is connected, and never gives a batch.
      return options.group === 'notebook.orders'
        ? Promise.resolve({ stop: () => Promise.resolve() })
        : subscribe.call(this, options);
    });
    const service = await startService(NotebookModule, notebookConfig, { CONSUMER_STUCK_MS: '1000' });
    try {
      const ready = async () => (await fetch(`${service.url}/health/ready`)).text();
      await eventually(async () => expect(await ready()).toContain('"status":"ok"'));
      await service.bus.send([{ topic: OrderGiven.topic, records: [toRecord(order('unheard'))] }]);
      await eventually(async () =>
        expect(await ready()).toContain('notebook.orders has 1 events to read and read none'),
      );
      const metrics = await (await fetch(`${service.url}/metrics`)).text();
      expect(metrics).toMatch(/atelier_consumer_lag\{[^}]*group="notebook.orders"[^}]*\} 1/);
    } finally {
      subscriptions.mockRestore();
      await service.close();
    }
  });

  it('ends a process whose consumer is stuck for good, so that a fresh one takes over (promise 16)', async () => {
    const loaders = ['@atelier/stack/typescript', '@atelier/observability/register'];
    const database = aDatabaseName('notebook');
    const secret = 'a-secret-of-at-least-thirty-two-bytes!';
    const child = spawn(
      process.execPath,
      [...loaders.flatMap((loader) => ['--import', loader]), fileURLToPath(STUCK_FIXTURE)],
      {
        cwd: fileURLToPath(new URL('../../../../', import.meta.url)),
        env: {
          PATH: process.env['PATH'],
          PORT: '0',
          ACTOR_SECRET: secret,
          KAFKA_BROKERS: 'memory',
          MONGODB_URI: infrastructure().mongodbUri,
          MONGODB_DATABASE: database,
          CONSUMER_STUCK_MS: '1000',
          CONSUMER_STUCK_EXIT_MS: '1000',
          DRAIN_TIMEOUT_MS: '100',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    try {
      const exit = once(child, 'close') as Promise<[number | null]>;
      const url = await eventually(() => {
        const match = /"url":"([^"]+)","msg":"listening"/.exec(output);
        if (!match) throw new Error(`does not listen:\n${output}`);
        return match[1]!;
      }, STARTED_MS);
      const answer = await fetch(`${url}/api/v1/notes`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [ACTOR_HEADER]: await new ActorSigner(secret, { issuer: 'gateway' }).sign(aUser()),
        },
        body: '{"text":"never counted"}',
      });
      expect(answer.status).toBe(201);
      const [code] = await exit;
      expect(output).toContain('notebook.stuck makes no progress; the service restarts');
      expect(code).toBe(1);
    } finally {
      child.kill('SIGKILL');
      await dropDatabase(database);
    }
  });

  it('keeps its partition while one event takes longer than its session with the broker', async () => {
    const LongTaskGiven = defineEvent({
      type: `office.task_${run}.given.v1`,
      summary: 'Somebody gave a task.',
      data: z.object({}),
      example: {},
    });
    const group = `notebook.${run}`;
    const kafka = new Kafka({
      brokers: infrastructure().kafkaBrokers.split(','),
      logLevel: logLevel.NOTHING,
    });
    const admin = kafka.admin();
    await admin.connect();
    let handlings = 0;
    const members: number[] = [];

    @Consumer({ id: `notebook.on-${run}`, group, consumes: LongTaskGiven })
    class OnLongTask implements Consumes<typeof LongTaskGiven> {
      async handle(): Promise<void> {
        handlings++;
        await new Promise((resolve) => setTimeout(resolve, SESSION_TIMEOUT_MS * LONG_SESSIONS));
        members.push((await admin.describeGroups([group])).groups[0]!.members.length);
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
      const records = [toRecord(exampleEnvelope(LongTaskGiven, {}))];
      await service.bus.send([{ topic: LongTaskGiven.topic, records }]);
      await service.settled(LONG_TASK_SETTLED_MS);
      expect([handlings, members]).toEqual([1, [1]]);
    } finally {
      await service.close();
      await admin.disconnect();
      await deleteTopics((topic) => topic.includes(run));
    }
  });
});
