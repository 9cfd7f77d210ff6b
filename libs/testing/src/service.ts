import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ActorSigner } from '@atelier/auth';
import { newId, topicOf, type Actor, type EventDefinition, type EventEnvelope } from '@atelier/kernel';
import { DeadLetters, deadTopic, EventBus, fromRecord, lagOf, toRecord } from '@atelier/messaging';
import { Database, Outbox } from '@atelier/persistence';
import {
  createService,
  type ConfigDefinition,
  type ServiceEnvironment,
  type ServiceOptions,
} from '@atelier/service';
import { ACTOR_SECRET, aDatabaseName, dropDatabase } from './database.js';
import { infrastructure } from './environment.js';
import { eventually } from './eventually.js';

/** What ends the name of a group's dead letters. */
const DEAD = deadTopic('').topic;
const GROUPS_SETTLED_TIMEOUT_MS = 20_000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // why: a test reads whatever the answer has; its assertions are the check.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export interface Client {
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  patch(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  put(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  delete(path: string, headers?: Record<string, string>): Promise<Answer>;
}

/** One service under test: real HTTP, a database of its own, and the in-memory bus. */
export interface ServiceUnderTest {
  readonly app: NestFastifyApplication;
  readonly url: string;
  readonly database: Database;
  readonly bus: EventBus;
  /** An HTTP client that the gateway has authenticated as this actor. */
  as(actor: Actor): Client;
  /** Puts facts of other services on their topics and waits until this service has handled them. */
  publish(...events: EventEnvelope[]): Promise<void>;
  /** The same fact twice, as Kafka may deliver it; what it did must be there once. */
  redeliver(event: EventEnvelope): Promise<void>;
  /** Waits until this service has published its outbox and handled everything on its topics, at most `limitMs`. */
  settled(limitMs?: number): Promise<void>;
  /** What this service has stated so far, oldest first; of one kind when a definition is given. */
  facts<Data>(definition: EventDefinition<Data>): Promise<EventEnvelope<Data>[]>;
  facts(): Promise<EventEnvelope[]>;
  /** The dead letters of all its groups. */
  deadLetters(): Promise<{ consumer: string; reason: string }[]>;
  close(): Promise<void>;
}

export async function startService<Values extends ServiceEnvironment>(
  appModule: Type<unknown>,
  config: ConfigDefinition<Values>,
  env: Readonly<Record<string, string>> = {},
  options: ServiceOptions & { readonly bus?: 'memory' | 'kafka' } = {},
): Promise<ServiceUnderTest> {
  const { mongodbUri, kafkaBrokers } = infrastructure();
  const service = await createService(
    appModule,
    config,
    {
      NODE_ENV: 'test',
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'fatal',
      ACTOR_SECRET,
      MONGODB_URI: mongodbUri,
      MONGODB_DATABASE: aDatabaseName(config.name),
      MONGODB_POOL_MAX: '10',
      MONGODB_MONITOR_COMMANDS: 'on',
      KAFKA_BROKERS: options.bus === 'kafka' ? kafkaBrokers : 'memory',
      OUTBOX_SWEEP_MS: '100',
      ...env,
    },
    options,
  );
  const { app, url } = service;
  const database = app.get(Database);
  const bus = app.get(EventBus);
  const outbox = app.get(Outbox);
  const signer = new ActorSigner(env['ACTOR_SECRET'] ?? ACTOR_SECRET, { issuer: 'gateway' });

  const request = async (
    actor: Actor,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const isRaw = body instanceof FormData || body instanceof Uint8Array || typeof body === 'string';
    const response = await fetch(url + path, {
      method,
      headers: {
        'x-atelier-actor': await signer.sign(actor),
        'x-request-id': newId('req'),
        ...(body === undefined || isRaw ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? (JSON.parse(text) as unknown) : text,
    };
  };

  /** How many events this service could hear, when all are handled and the outbox is empty; throws until then. */
  const heard = async (): Promise<bigint> => {
    const rows = await outbox.rows.collection.countDocuments({});
    if (rows > 0) throw new Error(`${rows} facts are still in the outbox`);
    const offsets = await bus.ownOffsets();
    const waiting = lagOf(offsets);
    if (waiting > 0n) throw new Error(`${waiting} events are not handled yet`);
    return offsets.reduce((sum, { end }) => sum + end, 0n);
  };

  const settled = async (limitMs = GROUPS_SETTLED_TIMEOUT_MS): Promise<void> => {
    let before: bigint | undefined;
    await eventually(async () => {
      // An event that is handled after the outbox was looked at may have left a fact there. Only when nothing came
      // between two looks, nothing can have been handled since the first.
      const now = await heard();
      if (now !== before) {
        before = now;
        throw new Error('events were handled just now');
      }
    }, limitMs);
  };

  const publish = async (...events: EventEnvelope[]): Promise<void> => {
    for (const event of events) {
      await bus.send([{ topic: topicOf(event.type), records: [toRecord(event)] }]);
    }
    await settled();
  };

  const facts = async (definition?: EventDefinition): Promise<EventEnvelope[]> => {
    await settled();
    const found: EventEnvelope[] = [];
    for (const topic of await bus.topics()) {
      if (!topic.startsWith(`${database.app}.`) || /\.(dead|retry)$/.test(topic)) continue;
      await bus.read(topic, (record) => found.push(fromRecord(record)));
    }
    const own = found.filter(({ source }) => source === `/atelier/${database.app}`);
    return own
      .filter(({ type }) => !definition || type === definition.type)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  };

  return {
    app,
    url,
    database,
    bus,
    as: (actor) => ({
      get: (path, headers) => request(actor, 'GET', path, undefined, headers),
      post: (path, body, headers) => request(actor, 'POST', path, body, headers),
      patch: (path, body, headers) => request(actor, 'PATCH', path, body, headers),
      put: (path, body, headers) => request(actor, 'PUT', path, body, headers),
      delete: (path, headers) => request(actor, 'DELETE', path, undefined, headers),
    }),
    publish,
    redeliver: (event) => publish(event, event),
    settled,
    facts: facts as ServiceUnderTest['facts'],
    deadLetters: async () => {
      const dead = (await bus.topics()).filter((topic) => topic.endsWith(DEAD));
      const letters = new DeadLetters(bus);
      return (await Promise.all(dead.map((topic) => letters.list(topic.slice(0, -DEAD.length))))).flat();
    },
    close: async () => {
      const { name } = database.connection;
      try {
        await service.close();
      } finally {
        await dropDatabase(name, env['MONGODB_URI']);
      }
    },
  };
}
