import type { TopicOptions } from '@atelier/kernel';

/** A message as the bus carries it; the codec of `message.ts` turns events into it and back. */
export interface BusRecord {
  readonly key: string;
  /** `null` is a tombstone: on a compacted topic it ends the key. */
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ReceivedRecord extends BusRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** Records of one partition, in order. */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly ReceivedRecord[];
  /** Tells the broker that this member is alive; call it while a record takes long. */
  heartbeat(): Promise<void>;
  /** Everything up to and with this offset is done and need not be delivered again. */
  commit(offset: bigint): Promise<void>;
  /** False once the partition was taken away or the subscription stops: what is not begun is left. */
  active(): boolean;
}

export interface Subscription {
  stop(): Promise<void>;
}

export interface SubscribeOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** Each partition's batches come one after the other; partitions come side by side. */
  onBatch(batch: RecordBatch): Promise<void>;
  /** The subscription has ended by itself and cannot go on. */
  onCrash(error: Error): void;
}

export interface TopicSpec extends TopicOptions {
  readonly topic: string;
}

/**
 * Where records go and come from. Kafka in every running system; the in-memory bus for tests of one service.
 * Both pass the same contract suite (`event-bus.contract.ts`): order per key, delivery at least once, groups
 * that share partitions, offsets that survive a restart of the subscriber.
 */
export abstract class EventBus {
  /** Creates the topics that are missing. Throws when an existing one has fewer partitions than asked for. */
  abstract ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** Resolves when every record is acknowledged by all in-sync replicas. Order per key is kept. */
  abstract send(batches: readonly { topic: string; records: readonly BusRecord[] }[]): Promise<void>;
  abstract subscribe(options: SubscribeOptions): Promise<Subscription>;
  /** Lets the group read its topics again from the first record. The group must have no members. */
  abstract rewind(group: string, topics: readonly string[]): Promise<void>;
  /** Reads a topic once from its first to its last record of now. */
  abstract read(topic: string, onRecord: (record: ReceivedRecord) => void): Promise<void>;
  /** Records that the group has not committed yet, per topic. */
  abstract lag(group: string, topics: readonly string[]): Promise<Readonly<Record<string, bigint>>>;
  /** The records that the subscriptions of this process have not committed yet. */
  abstract pending(): Promise<bigint>;
  /** The topics that exist. */
  abstract topics(): Promise<readonly string[]>;
  abstract close(): Promise<void>;
}
