import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { lastValueFrom } from 'rxjs';
import { DomainError, type Context, type EventDefinition, type EventEnvelope } from '@atelier/kernel';
import { gauge } from '@atelier/observability';
import { Database, Outbox } from '@atelier/persistence';
import { HealthRegistry, MessagingTransport, ServiceConfig, ShutdownSequence } from '@atelier/service';
import { runBatch } from './batch.js';
import type { Projects, RegisteredConsumer } from './consumer.js';
import { DeadLetters, deadTopic, retryOrder, retryTopic } from './dead-letters.js';
import { messagingEnvironmentSchema, type MessagingEnvironment } from './environment.js';
import { EventBus, type ReceivedRecord, type RecordBatch, type Subscription } from './event-bus.js';
import { Inbox } from './inbox.js';
import { Relay } from './relay.js';
import { Runner, type Handler } from './runner.js';

export const PUBLISHES = Symbol('PUBLISHES');

interface Group {
  readonly name: string;
  readonly consumers: { readonly consumer: RegisteredConsumer; readonly handler: Handler }[];
  subscription?: Subscription;
  /** When the records now in work were begun, by a number of their own. */
  readonly inWork: Map<number, number>;
}

const REPLAY_POLL_MS = 100;
const REPLAY_TIMEOUT_MS = 600_000;
const stuck = gauge('atelier_consumer_oldest_in_work_seconds', 'Age of the oldest event in work.', ['group']);

/**
 * The consumer runtime, as Nest's transport strategy: every class with @Consumer or @Projection is an event
 * handler of the application; its group is one subscription. Readiness follows progress, not connections: a
 * consumer that is stuck makes the service unready, and in the end restarts it (promise 16).
 */
@Injectable()
export class EventTransport extends MessagingTransport implements OnApplicationBootstrap {
  private readonly log = new Logger('messaging');
  private readonly groups = new Map<string, Group>();
  private readonly environment: MessagingEnvironment;
  private readonly runner: Runner;
  private readonly relay: Relay;
  private workNumber = 0;
  private watchdog: NodeJS.Timeout | undefined;

  constructor(
    config: ServiceConfig,
    database: Database,
    outbox: Outbox,
    private readonly inbox: Inbox,
    private readonly bus: EventBus,
    private readonly discovery: DiscoveryService,
    private readonly health: HealthRegistry,
    @Inject(PUBLISHES) private readonly publishes: readonly EventDefinition[],
    shutdown: ShutdownSequence,
  ) {
    super();
    const environment = (this.environment = messagingEnvironmentSchema.parse(config));
    this.runner = new Runner(database, inbox, new DeadLetters(bus), {
      attemptsMax: environment.CONSUMER_ATTEMPTS_MAX,
      backoffBaseMs: environment.CONSUMER_BACKOFF_BASE_MS,
      outagePauseMs: environment.CONSUMER_OUTAGE_PAUSE_MS,
    });
    this.relay = new Relay(database, outbox, bus, {
      sweepMs: environment.OUTBOX_SWEEP_MS,
      leaseMs: environment.OUTBOX_LEASE_MS,
      batchMax: environment.OUTBOX_BATCH_MAX,
    });
    shutdown.add('relay', 'outbox relay', async () => {
      await this.relay.stop();
      await this.bus.close();
    });
  }

  onApplicationBootstrap(): void {
    this.health.add('consumers', () => Promise.resolve(this.progress()));
    // Shown, and no reason to send requests elsewhere: writes go on, their facts wait in the outbox.
    const relay = () => Promise.resolve({ up: !this.relay.trouble, reason: this.relay.trouble });
    this.health.add('outbox relay', relay, { readiness: false });
  }

  /** Called by Nest when the application starts its microservices. */
  override listen(callback: (error?: unknown) => void): void {
    this.start().then(() => callback(), callback);
  }

  override async close(): Promise<void> {
    await this.stopConsumers();
  }

  override on(): this {
    return this;
  }

  override unwrap<T>(): T {
    return this.bus as T;
  }

  /**
   * Rebuilds a projection: stops its group, empties its view and its inbox, reads its topics from the start,
   * and answers when it has caught up. Answers how many events there were.
   */
  async replay(projectionId: string): Promise<{ events: number }> {
    const group = [...this.groups.values()].find(({ consumers }) =>
      consumers.some((c) => c.consumer.id === projectionId),
    );
    const projection = group?.consumers[0]?.consumer;
    if (!group || projection?.kind !== 'projection') {
      throw new DomainError({
        kind: 'not_found',
        code: 'platform.projection.not_found',
        detail: `There is no projection ${projectionId} here. There are: ${this.projectionIds().join(', ') || 'none'}.`,
      });
    }
    await group.subscription?.stop();
    const topics = topicsOf(group);
    await this.inbox.forget(projection.id);
    await this.instanceOf(projection).reset();
    await this.bus.rewind(group.name, topics);
    const events = sum(await this.bus.lag(group.name, topics));
    await this.subscribe(group);
    const deadline = Date.now() + REPLAY_TIMEOUT_MS;
    while (sum(await this.bus.lag(group.name, topics)) > 0) {
      if (Date.now() > deadline)
        throw new Error(`${projectionId} has not caught up within ${REPLAY_TIMEOUT_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, REPLAY_POLL_MS));
    }
    return { events };
  }

  private projectionIds(): string[] {
    return [...this.groups.values()].flatMap(({ consumers }) =>
      consumers.filter(({ consumer }) => consumer.kind === 'projection').map(({ consumer }) => consumer.id),
    );
  }

  private async start(): Promise<void> {
    for (const [, handler] of this.messageHandlers) {
      const consumer = handler.extras?.['consumer'] as RegisteredConsumer | undefined;
      if (!consumer) throw new Error('only @Consumer and @Projection classes may handle events');
      const group: Group = this.groups.get(consumer.group) ?? {
        name: consumer.group,
        consumers: [],
        inWork: new Map(),
      };
      const call: Handler = async (event: EventEnvelope, context: Context) => {
        await lastValueFrom(this.transformToObservable(await handler(event, context)), {
          defaultValue: undefined,
        });
      };
      group.consumers.push({ consumer, handler: call });
      this.groups.set(consumer.group, group);
    }
    for (const { consumers } of this.groups.values()) {
      if (consumers.length > 1 && consumers.some(({ consumer }) => consumer.kind === 'projection')) {
        throw new Error(
          `${consumers[0]!.consumer.group}: a projection has a group of its own, so that it can be replayed`,
        );
      }
    }
    const consumed = [...this.groups.values()].flatMap(({ consumers }) =>
      consumers.flatMap(({ consumer }) => consumer.consumes),
    );
    await this.bus.ensureTopics([
      ...new Map(
        [...this.publishes, ...consumed].map((event) => [
          event.topic,
          { topic: event.topic, ...event.topicOptions },
        ]),
      ).values(),
      ...[...this.groups.keys()].flatMap((group) => [deadTopic(group), retryTopic(group)]),
    ]);
    this.relay.start();
    await Promise.all([...this.groups.values()].map((group) => this.subscribe(group)));
    this.watchdog = setInterval(() => this.watch(), Math.min(1_000, this.environment.CONSUMER_STUCK_MS));
    this.watchdog.unref();
  }

  private async subscribe(group: Group): Promise<void> {
    group.subscription = await this.bus.subscribe({
      group: group.name,
      topics: [...topicsOf(group), retryTopic(group.name).topic],
      onBatch: (batch) => this.onBatch(group, batch),
      onCrash: (error) => {
        this.log.fatal(`${group.name}: the subscription has ended: ${error.message}`);
        process.kill(process.pid, 'SIGTERM');
      },
    });
  }

  private async onBatch(group: Group, batch: RecordBatch): Promise<void> {
    const { CONSUMER_KEYS_IN_FLIGHT_MAX, CONSUMER_COMMIT_EVERY_MS } = this.environment;
    await runBatch(batch, CONSUMER_KEYS_IN_FLIGHT_MAX, CONSUMER_COMMIT_EVERY_MS, (record) =>
      this.onRecord(group, record, () => batch.active()),
    );
  }

  private async onRecord(group: Group, record: ReceivedRecord, active: () => boolean): Promise<void> {
    const number = ++this.workNumber;
    group.inWork.set(number, Date.now());
    try {
      const order = retryOrder(record);
      const type = record.headers['ce_type'];
      for (const { consumer, handler } of group.consumers) {
        const wanted = order
          ? order.consumer === consumer.id
          : consumer.consumes.some((event) => event.type === type);
        if (wanted) await this.runner.run(consumer, handler, record, active);
      }
    } finally {
      group.inWork.delete(number);
    }
  }

  private progress(): { up: boolean; reason?: string } {
    for (const group of this.groups.values()) {
      const ageMs = oldestMs(group);
      if (ageMs > this.environment.CONSUMER_STUCK_MS) {
        return { up: false, reason: `${group.name} has been at one event for ${Math.round(ageMs / 1000)} s` };
      }
    }
    return { up: true };
  }

  private watch(): void {
    for (const group of this.groups.values()) {
      const ageMs = oldestMs(group);
      stuck.set({ group: group.name }, ageMs / 1000);
      if (ageMs > this.environment.CONSUMER_STUCK_EXIT_MS) {
        this.log.fatal(`${group.name} makes no progress; the service restarts`);
        process.exitCode = 1;
        process.kill(process.pid, 'SIGTERM');
      }
    }
  }

  private async stopConsumers(): Promise<void> {
    clearInterval(this.watchdog);
    await Promise.all([...this.groups.values()].map(async (group) => group.subscription?.stop()));
  }

  private instanceOf(projection: RegisteredConsumer): Projects<EventDefinition> {
    const wrapper = this.discovery
      .getControllers()
      .find(
        ({ metatype }) => metatype && Reflect.getMetadata('atelier:consumer', metatype) === projection.id,
      );
    return wrapper!.instance as Projects<EventDefinition>;
  }
}

const topicsOf = (group: Group): string[] => [
  ...new Set(group.consumers.flatMap(({ consumer }) => consumer.consumes.map(({ topic }) => topic))),
];
const oldestMs = (group: Group): number => {
  const oldest = Math.min(...group.inWork.values());
  return Number.isFinite(oldest) ? Date.now() - oldest : 0;
};
const sum = (lag: Readonly<Record<string, bigint>>): number =>
  Number(Object.values(lag).reduce((left, right) => left + right, 0n));
