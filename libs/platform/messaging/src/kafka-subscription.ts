import { Logger } from '@nestjs/common';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { ReceivedRecord, RecordBatch, SubscribeOptions, Subscription } from './event-bus.js';
import { OffsetCommits } from './offset-commits.js';

const PARTITIONS_SIDE_BY_SIDE = 4;
/**
 * kafkajs fetches again when all batches in hand are done. A batch that takes longer goes on beside it, its partition
 * paused, so that one slow record holds up no other partition (promise 14).
 */
const BESIDE_AFTER_MS = 300;

/** One member of a group: gives batches to the runtime, commits what is done, and leaves in order. */
export class KafkaSubscription implements Subscription {
  private readonly log = new Logger('kafka');
  private readonly commits: OffsetCommits;
  private readonly inHand = new Set<Promise<void>>();
  private isStopping = false;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly consumer: Consumer,
    private readonly options: SubscribeOptions,
    /** How long the batches in hand, and then leaving the group, may take. */
    private readonly stopTimeoutMs: number,
  ) {
    this.commits = new OffsetCommits(consumer, (error) =>
      this.log.debug(`${options.group}: a commit failed: ${String(error)}`),
    );
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      if (this.isStopping) return;
      if (restart)
        this.log.warn(`${options.group}: the subscription broke and begins anew: ${error.message}`);
      else options.onCrash(error);
    });
  }

  async run(): Promise<void> {
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_SIDE_BY_SIDE,
      eachBatch: (payload) => this.take(payload),
    });
  }

  /** Begins nothing more, lets what is in work end, commits it, and leaves the group: each within a limit. */
  stop(): Promise<void> {
    return (this.stopped ??= this.leave());
  }

  private async leave(): Promise<void> {
    this.isStopping = true;
    if (this.inHand.size > 0) {
      this.fetchNoMore();
      await endsWithin(this.stopTimeoutMs, Promise.all(this.inHand));
    }
    await this.commits.finish();
    if (!(await endsWithin(this.stopTimeoutMs, this.consumer.disconnect())))
      this.log.warn(`${this.options.group}: left without waiting any longer for the event in work`);
  }

  private fetchNoMore(): void {
    try {
      this.consumer.pause(this.options.topics.map((topic) => ({ topic })));
    } catch {
      // It broke and has not begun anew: it fetches nothing.
    }
  }

  private async take(payload: EachBatchPayload): Promise<void> {
    if (this.isStopping) return;
    const work = this.options.onBatch(this.batchOf(payload));
    const ended = work.then(
      () => undefined,
      () => undefined,
    );
    this.inHand.add(ended);
    void ended.then(() => this.inHand.delete(ended));
    try {
      if (await endsWithin(BESIDE_AFTER_MS, work)) return;
    } catch (error) {
      // It comes again from the first record that is not done.
      await this.commits.flush();
      throw error;
    }
    const resume = payload.pause();
    void work
      .catch((error: unknown) =>
        this.log.warn(`${this.options.group}: a batch comes again: ${String(error)}`),
      )
      .finally(() => {
        if (!this.isStopping) resume();
      });
  }

  private batchOf(payload: EachBatchPayload): RecordBatch {
    const { topic, partition } = payload.batch;
    const { generation } = this.commits;
    let isTaken = false;
    return {
      topic,
      partition,
      records: recordsOf(payload),
      heartbeat: async () => {
        try {
          await payload.heartbeat();
        } catch (error) {
          // The group shares its partitions out anew: the sooner this ends, the sooner it goes on.
          isTaken = true;
          throw error;
        }
      },
      commit: async (offset) => {
        // After a join the partition may be somebody else's, who may be further.
        if (this.commits.generation !== generation) return;
        payload.resolveOffset(offset.toString());
        await this.commits.add(topic, partition, offset);
      },
      active: () =>
        !isTaken &&
        !this.isStopping &&
        this.commits.generation === generation &&
        payload.isRunning() &&
        !payload.isStale(),
    };
  }
}

export function recordsOf({ batch: { topic, partition, messages } }: EachBatchPayload): ReceivedRecord[] {
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

/** Whether the work ended in this time. Throws what it throws until then. */
async function endsWithin(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([work.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
