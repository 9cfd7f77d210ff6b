import type { EventEnvelope } from '@atelier/kernel';
import { fromRecord, KafkaBus } from '@atelier/messaging';

const SESSION_TIMEOUT_MS = 10_000;
const TOPIC = /^[a-z]+\.[a-z_]+\.v\d+$/;

/** The facts of one trace, as any team could subscribe to them. */
export class Facts {
  readonly seen: EventEnvelope[] = [];
  private constructor(private readonly bus: KafkaBus) {}

  static async of(traceId: string, brokers: string): Promise<Facts> {
    const bus = new KafkaBus({
      brokers: brokers.split(','),
      clientId: 'story',
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      replicationFactor: 1,
    });
    const facts = new Facts(bus);
    await bus.subscribe({
      group: `story.${traceId}`,
      topics: (await bus.topics()).filter((topic) => TOPIC.test(topic)),
      onCrash: () => undefined,
      onBatch: async (batch) => {
        for (const record of batch.records) {
          if (record.headers['traceparent']?.includes(traceId)) facts.seen.push(fromRecord(record));
        }
        await batch.commit(batch.records.at(-1)!.offset);
      },
    });
    return facts;
  }

  close(): Promise<void> {
    return this.bus.close();
  }
}
