import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { z } from 'zod';
import { defineEvent, newId, type Context } from '@atelier/kernel';
import { EventBus, MessagingModule, messagingEnvironment } from '@atelier/messaging';
import { Database, Outbox, persistenceEnvironment, PersistenceModule } from '@atelier/persistence';
import { createService, defineConfig, type RunningService } from '@atelier/service';
import type { Stack } from '@atelier/stack';
import { Samples } from './measure.js';

const Ticked = defineEvent({
  type: 'bench.tick.ticked.v1',
  summary: 'The bench committed something.',
  data: z.object({ at: z.number(), padding: z.string() }),
  example: { at: 0, padding: '' },
});
const PADDING = 'x'.repeat(512);
const SETTLE_TIMEOUT_MS = 60_000;
const ARRIVAL_POLL_MS = 5;

const clock = (): number => performance.timeOrigin + performance.now();

/** Commits facts as a repository does: in a transaction, through the outbox. */
@Injectable()
export class Ticker {
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

/** A service that does nothing but commit facts and relay them, in this process. */
export const startTicking = ({ mongodbUri, kafkaBrokers }: Stack): Promise<RunningService> =>
  createService(BenchModule, config, {
    PORT: '0',
    LOG_LEVEL: 'error',
    ACTOR_SECRET: randomUUID(),
    MONGODB_URI: mongodbUri,
    KAFKA_BROKERS: kafkaBrokers,
  });

/** What has arrived since `begin`: each fact once, because some come twice after a broker's death. */
export class Seen {
  private latency = new Samples();
  private readonly ids = new Set<string>();
  private since = clock();

  begin(): void {
    this.latency = new Samples();
    this.ids.clear();
    this.since = clock();
  }

  get count(): number {
    return this.ids.size;
  }

  latencyMs(share: number): number {
    return this.latency.quantile(share);
  }

  /** Reads along from the topic, until the service closes. */
  async watch(service: RunningService): Promise<void> {
    await service.app.get(EventBus).subscribe({
      group: `bench.${randomUUID()}`,
      topics: [Ticked.topic],
      onCrash: (error) => console.error(error.message),
      onBatch: async (batch) => {
        const now = clock();
        for (const { value, headers } of batch.records) {
          const { at } = JSON.parse(value!) as { at: number };
          if (at < this.since) continue;
          this.latency.add(now - at);
          this.ids.add(headers['ce_id']!);
        }
        await batch.commit(batch.records.at(-1)!.offset);
      },
    });
  }

  /** Waits until so many have arrived. */
  async arrived(count: number): Promise<void> {
    const deadline = Date.now() + SETTLE_TIMEOUT_MS;
    while (this.count < count) {
      if (Date.now() > deadline) throw new Error('not every fact arrived in time');
      await sleep(ARRIVAL_POLL_MS);
    }
  }
}
