import { randomUUID } from 'node:crypto';
import { Injectable, Module } from '@nestjs/common';
import { z } from 'zod';
import { defineEvent, newId, type Context } from '@atelier/kernel';
import { EventBus, MessagingModule, messagingEnvironment } from '@atelier/messaging';
import { Database, Outbox, persistenceEnvironment, PersistenceModule } from '@atelier/persistence';
import { createService, defineConfig, type RunningService } from '@atelier/service';
import type { Stack } from '@atelier/stack';
import { cpuSeconds, round, Samples } from './measure.js';
import type { Report } from './report.js';
import { withPlatform } from './stage.js';

const Ticked = defineEvent({
  type: 'bench.tick.ticked.v1',
  summary: 'The bench committed something.',
  data: z.object({ at: z.number(), padding: z.string() }),
  example: { at: 0, padding: '' },
});
const PADDING = 'x'.repeat(512);
const SECONDS = 10;
const RATES = [100, 1000] as const;
const DRAIN_EVENTS = 20_000;
const EVENTS_PER_COMMIT = 10;
/** Large, so that the backlog stands before the supervision has brought the broker back. */
const DRAIN_EVENTS_PER_COMMIT = 1_000;
const SETTLE_TIMEOUT_MS = 60_000;

const clock = (): number => performance.timeOrigin + performance.now();

/** Commits facts as a repository does: in a transaction, through the outbox. */
@Injectable()
class Ticker {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  commit(count: number): Promise<void> {
    const id = newId('req');
    const context: Context = { actor: { kind: 'service', id: 'bench' }, correlationId: id, causationId: id };
    return this.database.transaction(async (session) => {
      const facts = Array.from({ length: count }, () => ({
        event: Ticked(newId('tck'), { at: clock(), padding: PADDING }),
        version: 1,
        context,
      }));
      await this.outbox.appendAll(facts, session, new Date());
    });
  }
}

@Module({
  imports: [
    PersistenceModule.forRoot({ database: 'bench' }),
    MessagingModule.forRoot({ app: 'bench', publishes: [Ticked] }),
  ],
  providers: [Ticker],
})
class BenchModule {}
const config = defineConfig('bench', { ...persistenceEnvironment, ...messagingEnvironment });

/** From commit to visible on the topic, at a steady rate; and how fast a backlog drains. */
export function benchOutbox(): Promise<Report> {
  return withPlatform(async (stack) => {
    const { mongodbUri, kafkaBrokers } = stack;
    const env = {
      PORT: '0',
      LOG_LEVEL: 'error',
      ACTOR_SECRET: randomUUID(),
      MONGODB_URI: mongodbUri,
      KAFKA_BROKERS: kafkaBrokers,
    };
    const service = await createService(BenchModule, config, env);
    const rows: Report['rows'][number][] = [];
    const aims: Report['aims'][number][] = [];
    try {
      const latency = { of: new Samples(), since: clock() };
      // By id: after a broker's death some come twice, and those of an earlier part do not count.
      const received = new Set<string>();
      const begin = (): void => {
        [latency.of, latency.since] = [new Samples(), clock()];
        received.clear();
      };
      await service.app.get(EventBus).subscribe({
        group: `bench.${randomUUID()}`,
        topics: [Ticked.topic],
        onCrash: (error) => console.error(error.message),
        onBatch: async (batch) => {
          const now = clock();
          for (const { value, headers } of batch.records) {
            const { at } = JSON.parse(value!) as { at: number };
            if (at < latency.since) continue;
            latency.of.add(now - at);
            received.add(headers['ce_id']!);
          }
          await batch.commit(batch.records.at(-1)!.offset);
        },
      });
      for (const rate of RATES) {
        begin();
        const cpuBefore = cpuSeconds([process.pid]);
        const sent = await steadily(service, rate);
        await arrived(() => received.size >= sent);
        rows.push({
          what: `${rate} events/s wanted`,
          events: sent,
          'p50 ms': round(latency.of.quantile(0.5)),
          'p99 ms': round(latency.of.quantile(0.99)),
          'CPU seconds of the service': round(cpuSeconds([process.pid]) - cpuBefore),
        });
        aims.push(
          {
            measure: `p50_at_${rate}`,
            value: round(latency.of.quantile(0.5)),
            unit: 'ms',
            wanted: { atMost: 55 },
          },
          {
            measure: `p99_at_${rate}`,
            value: round(latency.of.quantile(0.99)),
            unit: 'ms',
            wanted: { atMost: 250 },
          },
        );
      }
      begin();
      const { seconds, cpu } = await drain(service, stack, () => received.size);
      rows.push({
        what: 'a backlog drains, once the broker is back',
        events: DRAIN_EVENTS,
        'per second': round(DRAIN_EVENTS / seconds),
        'CPU seconds of the service': round(cpu),
      });
      aims.push({
        measure: 'drain_per_core',
        value: round(DRAIN_EVENTS / cpu),
        unit: '/s',
        wanted: { atLeast: 10_000 },
      });
    } finally {
      await service.close();
    }
    return {
      bench: 'outbox',
      what: 'From the commit of a fact to its being read from its topic; one service, real Kafka and database.',
      rows,
      aims,
    };
  });
}

async function steadily(service: RunningService, rate: number): Promise<number> {
  const ticker = service.app.get(Ticker);
  const perCommit = rate >= 1000 ? EVENTS_PER_COMMIT : 1;
  const pauseMs = (1000 * perCommit) / rate;
  const started = performance.now();
  const commits: Promise<void>[] = [];
  for (let i = 0; i < (rate * SECONDS) / perCommit; i++) {
    const waitMs = started + i * pauseMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    commits.push(ticker.commit(perCommit));
  }
  await Promise.all(commits);
  return commits.length * perCommit;
}

/** Commits a backlog while the broker is down, brings it back, and times how fast the facts get out. */
async function drain(
  service: RunningService,
  stack: Pick<Stack, 'killKafka' | 'restartKafka'>,
  received: () => number,
): Promise<{ seconds: number; cpu: number }> {
  await stack.killKafka();
  const ticker = service.app.get(Ticker);
  for (let i = 0; i < DRAIN_EVENTS / DRAIN_EVENTS_PER_COMMIT; i++)
    await ticker.commit(DRAIN_EVENTS_PER_COMMIT);
  if (received() > 0)
    throw new Error('the broker was back before the backlog stood: run it on a quieter machine');
  // From before the broker is back: the relay has published much before the consumer has found its group again.
  const cpuBefore = cpuSeconds([process.pid]);
  await stack.restartKafka();
  const from = performance.now();
  await arrived(() => received() >= DRAIN_EVENTS);
  return { seconds: (performance.now() - from) / 1000, cpu: cpuSeconds([process.pid]) - cpuBefore };
}

async function arrived(done: () => boolean): Promise<void> {
  const deadline = Date.now() + SETTLE_TIMEOUT_MS;
  while (!done()) {
    if (Date.now() > deadline) throw new Error('not every fact arrived in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
