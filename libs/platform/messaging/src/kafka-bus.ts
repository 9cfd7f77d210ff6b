import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompressionTypes,
  Kafka,
  logLevel,
  type Admin,
  type Consumer,
  type EachBatchPayload,
  type Producer,
} from 'kafkajs';
import { Logger } from '@nestjs/common';
import {
  EventBus,
  type BusRecord,
  type ReceivedRecord,
  type RecordBatch,
  type SubscribeOptions,
  type Subscription,
  type TopicSpec,
} from './event-bus.js';
import { quietIdleConnections } from './kafkajs-timers.js';
import { OffsetCommits } from './offset-commits.js';

quietIdleConnections();

export interface KafkaBusOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly sessionTimeoutMs: number;
  readonly replicationFactor: number;
}

const HEARTBEATS_PER_SESSION = 10;
const SETTLE_ATTEMPTS_MAX = 50;
const SETTLE_PAUSE_MS = 100;
/**
 * How long the broker may hold a fetch while there is nothing to give. It answers as soon as there is, so this delays
 * no record; it is how often an idle consumer asks, and the longest that stopping one takes.
 */
const FETCH_WAIT_MS = 1_000;
/** For a reading to the end of a topic, which ends by finding nothing. */
const READ_FETCH_WAIT_MS = 200;
const PARTITIONS_SIDE_BY_SIDE = 4;
const BYTES_PER_PARTITION_MAX = 1_048_576;
const REQUEST_TIMEOUT_MS = 15_000;
/** A reading that gets no record in this many fetches, each up to READ_FETCH_WAIT_MS long, has seen all there is. */
const READ_FETCHES_IN_VAIN_MAX = 25;
const READ_TIMEOUT_MS = 60_000;
const CONNECTION_TIMEOUT_MS = 3_000;
/** Together about half a minute: a broker's restart (3–6 s) stays inside it. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 4_000, retries: 12, factor: 0.2, multiplier: 2 };
/** Below this many bytes gzip costs more than it saves. */
const COMPRESS_FROM_BYTES = 64 * 1024;

/** The bus on Apache Kafka through kafkajs: idempotent producer, acks from all, offsets committed by us. */
export class KafkaBus extends EventBus {
  private readonly log = new Logger('kafka');
  private readonly kafka: Kafka;
  private producer: Promise<Producer> | undefined;
  private adminClient: Promise<Admin> | undefined;
  private readonly subscriptions = new Map<Subscription, SubscribeOptions>();

  constructor(private readonly options: KafkaBusOptions) {
    super();
    this.kafka = new Kafka({
      clientId: options.clientId,
      brokers: [...options.brokers],
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      retry: RETRY,
      logLevel: logLevel.ERROR,
      logCreator: () => (entry) => this.log.debug(`${entry.namespace}: ${entry.log.message}`),
    });
  }

  ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    return whileTopicsSettle(() => this.createMissing(topics));
  }

  private async createMissing(topics: readonly TopicSpec[]): Promise<void> {
    const admin = await this.admin();
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length > 0) {
      await admin
        .createTopics({
          waitForLeaders: true,
          topics: missing.map((spec) => ({
            topic: spec.topic,
            numPartitions: spec.partitions,
            replicationFactor: this.options.replicationFactor,
            configEntries: [
              { name: 'cleanup.policy', value: spec.cleanup },
              { name: 'retention.ms', value: String(spec.retentionMs) },
            ],
          })),
        })
        .catch((error: { type?: string; errors?: { type?: string }[] }) => {
          // Another service that shares the topic was faster.
          const kinds = error.errors?.map(({ type }) => type) ?? [error.type];
          if (kinds.some((kind) => kind !== 'TOPIC_ALREADY_EXISTS')) throw error;
        });
    }
    const names = topics.map(({ topic }) => topic).filter((topic) => existing.has(topic));
    if (names.length === 0) return;
    const { topics: found } = await admin.fetchTopicMetadata({ topics: names });
    for (const { name, partitions } of found) {
      const wanted = topics.find(({ topic }) => topic === name)!.partitions;
      if (partitions.length < wanted) {
        throw new Error(
          `topic ${name} has ${partitions.length} partitions, the contract wants ${wanted}: adding some moves keys, do it by hand`,
        );
      }
    }
  }

  async send(batches: readonly { topic: string; records: readonly BusRecord[] }[]): Promise<void> {
    const filled = batches.filter(({ records }) => records.length > 0);
    if (filled.length === 0) return;
    const producer = await this.connectedProducer();
    const bytes = filled.reduce(
      (sum, { records }) => sum + records.reduce((s, r) => s + (r.value?.length ?? 0), 0),
      0,
    );
    await producer.sendBatch({
      acks: -1,
      timeout: REQUEST_TIMEOUT_MS,
      compression: bytes >= COMPRESS_FROM_BYTES ? CompressionTypes.GZIP : CompressionTypes.None,
      topicMessages: filled.map(({ topic, records }) => ({
        topic,
        messages: records.map(({ key, value, headers }) => ({ key, value, headers: { ...headers } })),
      })),
    });
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const consumer = this.consumer(options.group, FETCH_WAIT_MS);
    const commits = new OffsetCommits(consumer, (error) =>
      this.log.debug(`${options.group}: a commit failed: ${String(error)}`),
    );
    let stopping = false;
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!stopping && !payload.restart) options.onCrash(payload.error);
    });
    await consumer.connect();
    await whileTopicsSettle(() => consumer.subscribe({ topics: [...options.topics], fromBeginning: true }));
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_SIDE_BY_SIDE,
      eachBatch: async (payload) => {
        try {
          await options.onBatch(toBatch(payload, commits));
        } catch (error) {
          // The consumer joins anew and goes on from what the broker knows.
          await commits.flush();
          throw error;
        }
      },
    });
    const subscription: Subscription = {
      stop: async () => {
        stopping = true;
        this.subscriptions.delete(subscription);
        await commits.finish();
        await consumer.disconnect();
      },
    };
    this.subscriptions.set(subscription, options);
    return subscription;
  }

  async rewind(group: string, topics: readonly string[]): Promise<void> {
    const admin = await this.admin();
    for (const topic of topics) await admin.resetOffsets({ groupId: group, topic, earliest: true });
  }

  async read(topic: string, onRecord: (record: ReceivedRecord) => void): Promise<void> {
    const admin = await this.admin();
    if (!(await admin.listTopics()).includes(topic)) return;
    const ends = new Map<number, bigint>();
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (BigInt(high) > BigInt(low)) ends.set(partition, BigInt(high) - 1n);
    }
    if (ends.size === 0) return;
    const groupId = `${this.options.clientId}.read.${process.pid}.${Date.now()}`;
    const consumer = this.consumer(groupId, READ_FETCH_WAIT_MS);
    const finished = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => finished.reject(new Error(`${topic} was not read to its end within ${READ_TIMEOUT_MS} ms`)),
      READ_TIMEOUT_MS,
    );
    let fetchesInVain = 0;
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) finished.reject(payload.error);
    });
    consumer.on(consumer.events.FETCH, () => {
      // Compaction may have taken the last records of a topic: nothing comes for their offsets.
      if (++fetchesInVain >= READ_FETCHES_IN_VAIN_MAX) finished.resolve();
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch: async (payload) => {
          fetchesInVain = 0;
          const { partition } = payload.batch;
          const records = recordsOf(payload);
          for (const record of records) onRecord(record);
          const end = ends.get(partition);
          if (end !== undefined && records.at(-1)!.offset >= end) ends.delete(partition);
          if (ends.size === 0) finished.resolve();
        },
      });
      await finished.promise;
    } finally {
      clearTimeout(timer);
      await consumer.disconnect();
      await admin.deleteGroups([groupId]).catch(() => undefined);
    }
  }

  async lag(group: string, topics: readonly string[]): Promise<Readonly<Record<string, bigint>>> {
    const admin = await this.admin();
    const committed = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
    const result: Record<string, bigint> = {};
    for (const { topic, partitions } of committed) {
      const ends = await admin.fetchTopicOffsets(topic);
      result[topic] = ends.reduce((sum, end) => {
        const offset = BigInt(partitions.find(({ partition }) => partition === end.partition)?.offset ?? -1);
        const from = offset < 0n ? BigInt(end.low) : offset;
        return sum + (BigInt(end.high) - from);
      }, 0n);
    }
    return result;
  }

  async pending(): Promise<bigint> {
    let sum = 0n;
    for (const { group, topics } of this.subscriptions.values()) {
      for (const lag of Object.values(await this.lag(group, topics))) sum += lag;
    }
    return sum;
  }

  async topics(): Promise<readonly string[]> {
    return (await this.admin()).listTopics();
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.subscriptions.keys()].map((subscription) => subscription.stop()));
    await Promise.allSettled([
      this.producer?.then((producer) => producer.disconnect()),
      this.adminClient?.then((admin) => admin.disconnect()),
    ]);
    this.producer = undefined;
    this.adminClient = undefined;
  }

  private consumer(groupId: string, maxWaitTimeInMs: number): Consumer {
    return this.kafka.consumer({
      groupId,
      sessionTimeout: this.options.sessionTimeoutMs,
      heartbeatInterval: Math.floor(this.options.sessionTimeoutMs / HEARTBEATS_PER_SESSION),
      maxWaitTimeInMs,
      maxBytesPerPartition: BYTES_PER_PARTITION_MAX,
      allowAutoTopicCreation: false,
      retry: { ...RETRY, restartOnFailure: () => Promise.resolve(true) },
    });
  }

  private connectedProducer(): Promise<Producer> {
    this.producer ??= connected(
      this.kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        retry: RETRY,
      }),
      () => (this.producer = undefined),
    );
    return this.producer;
  }

  private admin(): Promise<Admin> {
    this.adminClient ??= connected(this.kafka.admin({ retry: RETRY }), () => (this.adminClient = undefined));
    return this.adminClient;
  }
}

/**
 * A topic that somebody else has just created is known to the broker's controller before it is known to all its
 * answers. Asks again, within a limit.
 */
async function whileTopicsSettle<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const isSettling = (error as { type?: string }).type === 'UNKNOWN_TOPIC_OR_PARTITION';
      if (!isSettling || attempt >= SETTLE_ATTEMPTS_MAX) throw error;
      await sleep(SETTLE_PAUSE_MS);
    }
  }
}

/** Connects, and forgets a client that could not, so that the next call tries anew. */
async function connected<Client extends { connect(): Promise<void> }>(
  client: Client,
  forget: () => void,
): Promise<Client> {
  try {
    await client.connect();
    return client;
  } catch (error) {
    forget();
    throw error;
  }
}

function toBatch(payload: EachBatchPayload, commits: OffsetCommits): RecordBatch {
  const { topic, partition } = payload.batch;
  return {
    topic,
    partition,
    records: recordsOf(payload),
    heartbeat: () => payload.heartbeat(),
    commit: (offset) => {
      payload.resolveOffset(offset.toString());
      return commits.add(topic, partition, offset);
    },
    active: () => payload.isRunning() && !payload.isStale(),
  };
}

function recordsOf({ batch: { topic, partition, messages } }: EachBatchPayload): ReceivedRecord[] {
  return messages.map((message) => ({
    topic,
    partition,
    offset: BigInt(message.offset),
    key: message.key?.toString() ?? '',
    value: message.value?.toString() ?? null,
    headers: Object.fromEntries(
      Object.entries(message.headers ?? {}).map(([name, value]) => [
        name,
        String(Array.isArray(value) ? value[0] : value),
      ]),
    ),
  }));
}
