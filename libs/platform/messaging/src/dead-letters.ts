import { z } from 'zod';
import type { BusRecord, EventBus, ReceivedRecord, TopicSpec } from './event-bus.js';

/**
 * A record that a consumer could not handle. It lives on `<group>.dead`, a compacted topic keyed by consumer
 * and event, until it is replayed or dropped; a tombstone then ends it.
 */
export interface DeadLetter {
  readonly id: string;
  readonly group: string;
  readonly consumer: string;
  readonly reason: string;
  readonly attempts: number;
  readonly failedAt: string;
  readonly original: { readonly topic: string; readonly partition: number; readonly offset: string };
  readonly record: BusRecord;
}

export const deadTopic = (group: string): TopicSpec => ({
  topic: `${group}.dead`,
  partitions: 1,
  retentionMs: -1,
  cleanup: 'compact',
});
const RETRIES_KEPT_MS = 7 * 86_400_000;
export const retryTopic = (group: string): TopicSpec => ({
  topic: `${group}.retry`,
  partitions: 1,
  retentionMs: RETRIES_KEPT_MS,
  cleanup: 'delete',
});

const letterSchema = z.object({
  group: z.string(),
  consumer: z.string(),
  reason: z.string(),
  attempts: z.number(),
  failedAt: z.string(),
  original: z.object({ topic: z.string(), partition: z.number(), offset: z.string() }),
  record: z.object({
    key: z.string(),
    value: z.string().nullable(),
    headers: z.record(z.string(), z.string()),
  }),
});

/** Headers that turn a record on `<group>.retry` into an order to one consumer. */
export const RETRY_CONSUMER = 'x-retry-consumer';
export const RETRY_COMMAND = 'x-retry-command';
export const RETRY_LETTER = 'x-retry-letter';
export type RetryCommand = 'replay' | 'drop';

/** Writes, lists, replays and drops dead letters. The command line and the runner both work through it. */
export class DeadLetters {
  constructor(private readonly bus: EventBus) {}

  async add({ id: key, ...letter }: DeadLetter): Promise<void> {
    await this.bus.send([
      {
        topic: deadTopic(letter.group).topic,
        records: [{ key, value: JSON.stringify(letter), headers: {} }],
      },
    ]);
  }

  /** The letters of a group that nobody has dealt with, oldest first. */
  async list(group: string): Promise<readonly DeadLetter[]> {
    const letters = new Map<string, DeadLetter>();
    await this.bus.read(deadTopic(group).topic, ({ key, value }) => {
      letters.delete(key);
      if (value !== null) letters.set(key, { id: key, ...letterSchema.parse(JSON.parse(value)) });
    });
    return [...letters.values()];
  }

  /** Orders the consumer to handle the letter again, or to forget it. The service does it when it runs. */
  async order(letter: DeadLetter, command: RetryCommand): Promise<void> {
    const headers = {
      ...letter.record.headers,
      [RETRY_CONSUMER]: letter.consumer,
      [RETRY_COMMAND]: command,
      [RETRY_LETTER]: letter.id,
    };
    await this.bus.send([
      { topic: retryTopic(letter.group).topic, records: [{ ...letter.record, headers }] },
    ]);
  }

  /** The letter was dealt with. */
  async settle(group: string, letterId: string): Promise<void> {
    await this.bus.send([
      { topic: deadTopic(group).topic, records: [{ key: letterId, value: null, headers: {} }] },
    ]);
  }
}

/** What a record is called: by its event, else by its place, since what comes twice is one letter. */
export const nameOf = ({ headers, topic, partition, offset }: ReceivedRecord): string =>
  headers['ce_id'] || `${topic}/${partition}/${offset}`;

/** The order that a record on a retry topic carries, if any. */
export function retryOrder(
  record: ReceivedRecord,
): { consumer: string; command: RetryCommand; letter: string } | undefined {
  const { [RETRY_CONSUMER]: consumer, [RETRY_COMMAND]: command, [RETRY_LETTER]: letter } = record.headers;
  if (!consumer || !letter || (command !== 'replay' && command !== 'drop')) return undefined;
  return { consumer, command, letter };
}
