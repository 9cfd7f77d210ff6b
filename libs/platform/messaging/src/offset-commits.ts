import type { Consumer } from 'kafkajs';

/** Commits of this long go to the broker together. What a crash loses of them comes again and is known (promise 12). */
const COMMIT_AFTER_MS = 250;

interface Done {
  readonly topic: string;
  readonly partition: number;
  /** The next one to be read. */
  readonly offset: string;
}

/**
 * The offsets that a consumer has done and not yet told the broker. At a low rate most batches are one record, and a
 * commit for each would cost as much as the record.
 */
export class OffsetCommits {
  /** How often the group was joined: a partition may have changed hands in between. */
  generation = 0;
  private waiting = new Map<string, Done>();
  private timer: NodeJS.Timeout | undefined;
  private isHurrying = false;

  constructor(
    private readonly consumer: Consumer,
    private readonly onFailure: (error: unknown) => void,
  ) {
    // A member that joins anew begins at what the broker knows: what waits here comes again.
    consumer.on(consumer.events.GROUP_JOIN, () => {
      this.generation++;
      this.waiting = new Map();
    });
    consumer.on(consumer.events.REBALANCING, () => void this.flush());
  }

  /** Everything up to and with this offset is done. */
  async add(topic: string, partition: number, offset: bigint): Promise<void> {
    this.waiting.set(`${topic} ${partition}`, { topic, partition, offset: (offset + 1n).toString() });
    if (this.isHurrying) await this.flush();
    else this.later();
  }

  /** Tells the broker now, and from here on at once: the consumer is about to leave its group. */
  async finish(): Promise<void> {
    this.isHurrying = true;
    await this.flush();
  }

  /** Never throws. What could not be committed waits for the next time, or for the next join. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { waiting } = this;
    const sent = new Map(waiting);
    if (sent.size === 0) return;
    waiting.clear();
    try {
      await this.consumer.commitOffsets([...sent.values()]);
    } catch (error) {
      this.onFailure(error);
      // After a join `waiting` is another one, and what is put back here is forgotten with it.
      for (const [key, done] of sent) if (!waiting.has(key)) waiting.set(key, done);
      if (!this.isHurrying) this.later();
    }
  }

  private later(): void {
    this.timer ??= setTimeout(() => void this.flush(), COMMIT_AFTER_MS);
  }
}
