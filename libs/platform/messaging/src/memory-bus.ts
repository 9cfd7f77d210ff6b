import { createHash } from 'node:crypto';
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

interface Member extends SubscribeOptions {
  stopped: boolean;
  readonly waiting: Set<() => void>;
  readonly loops: Promise<void>[];
}

const wake = (member: Member): void => {
  for (const resolve of member.waiting) resolve();
  member.waiting.clear();
};

const RECORDS_PER_BATCH_MAX = 500;
const RETRY_AFTER_FAILED_BATCH_MS = 20;

/**
 * The bus inside one process: topics are arrays, groups have offsets, each partition of a group has one reader.
 * For tests of one service without a broker. It passes the same contract suite as Kafka's.
 */
export class MemoryBus extends EventBus {
  private readonly logs = new Map<string, ReceivedRecord[][]>();
  private readonly committed = new Map<string, bigint>();
  private readonly members = new Map<string, Member[]>();

  async ensureTopics(topics: readonly TopicSpec[]): Promise<void> {
    for (const { topic, partitions } of topics) {
      const existing = this.logs.get(topic);
      if (!existing)
        this.logs.set(
          topic,
          Array.from({ length: partitions }, () => []),
        );
      else if (existing.length < partitions)
        throw new Error(`topic ${topic} has ${existing.length} partitions`);
    }
  }

  async send(batches: readonly { topic: string; records: readonly BusRecord[] }[]): Promise<void> {
    for (const { topic, records } of batches) {
      const partitions = this.partitionsOf(topic);
      for (const record of records) {
        const partition = createHash('md5').update(record.key).digest()[0]! % partitions.length;
        const log = partitions[partition]!;
        log.push({ ...record, topic, partition, offset: BigInt(log.length) });
      }
    }
    for (const member of [...this.members.values()].flat()) wake(member);
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const member: Member = { ...options, stopped: false, waiting: new Set(), loops: [] };
    const group = this.members.get(options.group) ?? [];
    this.members.set(options.group, [...group, member]);
    for (const topic of options.topics) {
      this.partitionsOf(topic).forEach((_, partition) =>
        member.loops.push(this.consume(member, topic, partition)),
      );
    }
    return {
      stop: async () => {
        member.stopped = true;
        wake(member);
        // It is a member until its batch at work has committed what it did.
        await Promise.all(member.loops);
        const others = (this.members.get(options.group) ?? []).filter((other) => other !== member);
        this.members.set(options.group, others);
        for (const other of others) wake(other);
      },
    };
  }

  async rewind(group: string, topics: readonly string[]): Promise<void> {
    if ((this.members.get(group) ?? []).length > 0) throw hasMembers(group);
    for (const topic of topics) {
      this.partitionsOf(topic).forEach((_, partition) =>
        this.committed.delete(`${group}/${topic}/${partition}`),
      );
    }
  }

  async read(topic: string, onRecord: (record: ReceivedRecord) => void): Promise<void> {
    for (const partition of this.logs.get(topic) ?? []) for (const record of [...partition]) onRecord(record);
  }

  async offsets(group: string, topics: readonly string[]): Promise<readonly GroupOffset[]> {
    return topics.flatMap((topic) =>
      this.partitionsOf(topic).map((log, partition) => ({
        topic,
        partition,
        start: 0n,
        next: this.committed.get(`${group}/${topic}/${partition}`) ?? 0n,
        end: BigInt(log.length),
      })),
    );
  }

  async ownOffsets(): Promise<readonly GroupOffset[]> {
    const members = [...this.members.values()].flat();
    return (await Promise.all(members.map(({ group, topics }) => this.offsets(group, topics)))).flat();
  }

  async topics(): Promise<readonly string[]> {
    return [...this.logs.keys()];
  }

  async close(): Promise<void> {
    const all = [...this.members.values()].flat();
    for (const member of all) {
      member.stopped = true;
      wake(member);
    }
    await Promise.all(all.flatMap(({ loops }) => loops));
    this.members.clear();
  }

  private partitionsOf(topic: string): ReceivedRecord[][] {
    const partitions = this.logs.get(topic);
    if (!partitions) throw new Error(`there is no topic ${topic}`);
    return partitions;
  }

  private owns(member: Member, partition: number): boolean {
    const group = this.members.get(member.group) ?? [];
    return group.length > 0 && group[partition % group.length] === member;
  }

  private async consume(member: Member, topic: string, partition: number): Promise<void> {
    const position = `${member.group}/${topic}/${partition}`;
    while (!member.stopped) {
      const log = this.partitionsOf(topic)[partition]!;
      const from = Number(this.committed.get(position) ?? 0n);
      if (from >= log.length || !this.owns(member, partition)) {
        await new Promise<void>((resolve) => member.waiting.add(resolve));
        continue;
      }
      try {
        await member.onBatch({
          topic,
          partition,
          records: log.slice(from, from + RECORDS_PER_BATCH_MAX),
          heartbeat: () => Promise.resolve(),
          commit: (offset) => {
            if (this.owns(member, partition)) this.committed.set(position, offset + 1n);
            return Promise.resolve();
          },
          active: () => !member.stopped && this.owns(member, partition),
        });
      } catch {
        // Delivered again, as Kafka does.
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_FAILED_BATCH_MS));
      }
    }
  }
}
