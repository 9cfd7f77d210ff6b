import { DomainError, type TopicOptions } from '@atelier/kernel';

/** How far a group has come with one partition. */
export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  /** The first record that is still there; above 0, older ones were deleted. */
  readonly start: bigint;
  /** The first record that is not committed. */
  readonly next: bigint;
  /** Where the next record of the partition will be. */
  readonly end: bigint;
}

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
  /**
   * Everything up to and with this offset is done and need not be delivered again. Does nothing once the partition
   * is somebody else's.
   */
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
  /** Creates the topics that are missing and sets what is set otherwise. Throws when an existing one has fewer partitions than asked for. */
  abstract ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** Resolves when every record is acknowledged by all in-sync replicas. Order per key is kept. */
  abstract send(batches: readonly { topic: string; records: readonly BusRecord[] }[]): Promise<void>;
  abstract subscribe(options: SubscribeOptions): Promise<Subscription>;
  /** Lets the group read its topics again from the first record. Throws conflict `platform.group.has_members`. */
  abstract rewind(group: string, topics: readonly string[]): Promise<void>;
  /** Reads a topic once from its first to its last record of now. */
  abstract read(topic: string, onRecord: (record: ReceivedRecord) => void): Promise<void>;
  /** How far the group has come, per partition. */
  abstract offsets(group: string, topics: readonly string[]): Promise<readonly GroupOffset[]>;
  /** The same for all subscriptions of this process. */
  abstract ownOffsets(): Promise<readonly GroupOffset[]>;
  /** The topics that exist. */
  abstract topics(): Promise<readonly string[]>;
  abstract close(): Promise<void>;
}

/** The records that are not committed yet. */
export const lagOf = (offsets: readonly GroupOffset[]): bigint =>
  offsets.reduce((sum, { next, end }) => sum + end - next, 0n);

export const hasMembers = (group: string) =>
  new DomainError({
    kind: 'conflict',
    code: 'platform.group.has_members',
    detail: `Somebody else reads as ${group}. Scale its service to one replica, then try again.`,
  });
