import { CompressionTypes, Kafka, logLevel, type Admin, type Consumer, type Producer } from 'kafkajs';
import { Logger } from '@nestjs/common';
import { newId } from '@atelier/kernel';
import {
  EventBus,
  hasMembers,
  type BusRecord,
  type GroupOffset,
  type ReceivedRecord,
  type SubscribeOptions,
  type Subscription,
  type TopicSpec,
} from './event-bus.js';
import { KafkaSubscription, recordsOf } from './kafka-subscription.js';
import { ensureTopics, whileTopicsSettle } from './kafka-topics.js';
import { quietIdleConnections } from './kafkajs-timers.js';

quietIdleConnections();

export interface KafkaBusOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly sessionTimeoutMs: number;
  readonly replicationFactor: number;
  /** How long the batches in hand, and then leaving the group, may take when a subscription stops. Default 5 s. */
  readonly stopTimeoutMs?: number;
}

const HEARTBEATS_PER_SESSION = 10;
/**
 * How long the broker may hold a fetch while there is nothing to give. It answers as soon as there is, so this delays
 * no record; it is how often an idle consumer asks, and the longest that stopping one takes.
 */
const FETCH_WAIT_MS = 1_000;
/** For a reading to the end of a topic, which ends by finding nothing. */
const READ_FETCH_WAIT_MS = 200;
const STOP_TIMEOUT_MS = 5_000;
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
  /** The sends of this process, one after the other. */
  private sending: Promise<unknown> = Promise.resolve();

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
    return whileTopicsSettle(async () =>
      ensureTopics(await this.admin(), topics, this.options.replicationFactor),
    );
  }

  /**
   * kafkajs takes the sequence numbers of a send that failed back, although the broker may have them. A send beside
   * it, or after it on the same producer, could be taken for its repeat and be lost: so they go one by one, and a
   * producer that failed is given up.
   */
  send(batches: readonly { topic: string; records: readonly BusRecord[] }[]): Promise<void> {
    const filled = batches.filter(({ records }) => records.length > 0);
    if (filled.length === 0) return Promise.resolve();
    const sent = this.sending.then(() => this.sendNext(filled));
    this.sending = sent.catch(() => undefined);
    return sent;
  }

  private async sendNext(
    batches: readonly { topic: string; records: readonly BusRecord[] }[],
  ): Promise<void> {
    const producer = await this.connectedProducer();
    const bytes = batches.reduce(
      (sum, { records }) => sum + records.reduce((s, r) => s + (r.value?.length ?? 0), 0),
      0,
    );
    try {
      await producer.sendBatch({
        acks: -1,
        timeout: REQUEST_TIMEOUT_MS,
        compression: bytes >= COMPRESS_FROM_BYTES ? CompressionTypes.GZIP : CompressionTypes.None,
        topicMessages: batches.map(({ topic, records }) => ({
          topic,
          messages: records.map(({ key, value, headers }) => ({ key, value, headers: { ...headers } })),
        })),
      });
    } catch (error) {
      this.producer = undefined;
      void producer.disconnect().catch(() => undefined);
      throw error;
    }
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const consumer = this.consumer(options.group, FETCH_WAIT_MS);
    const member = new KafkaSubscription(consumer, options, this.options.stopTimeoutMs ?? STOP_TIMEOUT_MS);
    await consumer.connect();
    await whileTopicsSettle(() => consumer.subscribe({ topics: [...options.topics], fromBeginning: true }));
    await member.run();
    const subscription: Subscription = {
      stop: () => {
        this.subscriptions.delete(subscription);
        return member.stop();
      },
    };
    this.subscriptions.set(subscription, options);
    return subscription;
  }

  async rewind(group: string, topics: readonly string[]): Promise<void> {
    const admin = await this.admin();
    const { groups } = await admin.describeGroups([group]);
    if (groups.some(({ members }) => members.length > 0)) throw hasMembers(group);
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
    const groupId = `${this.options.clientId}.read.${newId('rdr')}`;
    const consumer = this.consumer(groupId, READ_FETCH_WAIT_MS);
    const finished = Promise.withResolvers<void>();
    // Until it is awaited nobody hears of it, and what is not heard ends the process.
    finished.promise.catch(() => undefined);
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

  async offsets(group: string, topics: readonly string[]): Promise<readonly GroupOffset[]> {
    const admin = await this.admin();
    const committed = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
    const offsets: GroupOffset[] = [];
    for (const { topic, partitions } of committed) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const next = BigInt(partitions.find((one) => one.partition === partition)?.offset ?? -1);
        const start = BigInt(low);
        offsets.push({ topic, partition, start, next: next < 0n ? start : next, end: BigInt(high) });
      }
    }
    return offsets;
  }

  async ownOffsets(): Promise<readonly GroupOffset[]> {
    const own: GroupOffset[] = [];
    for (const { group, topics } of this.subscriptions.values())
      own.push(...(await this.offsets(group, topics)));
    return own;
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
