import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { lastValueFrom } from 'rxjs';
import { DomainError, type Context, type EventDefinition, type EventEnvelope } from '@atelier/kernel';
import { Database, Outbox } from '@atelier/persistence';
import { HealthRegistry, MessagingTransport, ServiceConfig, ShutdownSequence } from '@atelier/service';
import { runBatch } from './batch.js';
import type { Projects, RegisteredConsumer } from './consumer.js';
import { DeadLetters, deadTopic, retryTopic } from './dead-letters.js';
import { messagingEnvironmentSchema, type MessagingEnvironment } from './environment.js';
import { EventBus, type ReceivedRecord, type RecordBatch } from './event-bus.js';
import { readsOf, takersOf, type Group } from './group.js';
import { Inbox } from './inbox.js';
import { Progress } from './progress.js';
import { Relay } from './relay.js';
import { Replay, type Replayed } from './replay.js';
import { Runner, type Handler } from './runner.js';
import { UnknownTypes } from './unknown-types.js';

export const PUBLISHES = Symbol('PUBLISHES');

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
  private readonly progress: Progress;
  private readonly replays: Replay;
  private readonly unknownTypes = new UnknownTypes();
  private workNumber = 0;
  private stopped: Promise<void> | undefined;

  constructor(
    config: ServiceConfig,
    database: Database,
    outbox: Outbox,
    inbox: Inbox,
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
      batchBytesMax: environment.OUTBOX_BATCH_BYTES_MAX,
    });
    this.progress = new Progress(bus, this.groups, {
      stuckMs: environment.CONSUMER_STUCK_MS,
      exitMs: environment.CONSUMER_STUCK_EXIT_MS,
    });
    this.replays = new Replay(bus, inbox, (group) => this.subscribe(group));
    shutdown.add('relay', 'outbox relay', async () => {
      await this.relay.stop();
      await this.bus.close();
    });
  }

  onApplicationBootstrap(): void {
    this.health.add('consumers', () => Promise.resolve(this.progress.answer()));
    // Shown, and no reason to send requests elsewhere: writes go on, their facts wait in the outbox.
    const relay = () => Promise.resolve({ up: !this.relay.trouble, reason: this.relay.trouble });
    this.health.add('outbox relay', relay, { readiness: false });
  }

  /** Called by Nest when the application starts its microservices. */
  override listen(callback: (error?: unknown) => void): void {
    this.start().then(() => callback(), callback);
  }

  /** Called by the shutdown, and once more by Nest. */
  override close(): Promise<void> {
    return (this.stopped ??= this.stopConsumers());
  }

  override on(): this {
    return this;
  }

  override unwrap<T>(): T {
    return this.bus as T;
  }

  /**
   * Rebuilds a projection: stops its group, empties its view and its inbox, reads its topics from the start, and
   * answers when it has what was there. Throws conflict `platform.group.has_members` while another replica reads, and
   * `platform.projection.replaying`, or `platform.projection.facts_deleted` unless a loss of these is wanted.
   */
  async replay(projectionId: string, lossy: boolean): Promise<Replayed> {
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
    return this.replays.run(group, projection, () => this.instanceOf(projection).reset(), lossy);
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
    this.progress.start();
  }

  private async subscribe(group: Group): Promise<void> {
    if (this.stopped) return;
    const restart = (error: Error): void => {
      this.log.fatal(`${group.name}: the subscription has ended: ${error.message}`);
      process.exitCode = 1;
      process.kill(process.pid, 'SIGTERM');
    };
    try {
      group.subscription = await this.bus.subscribe({
        group: group.name,
        topics: readsOf(group),
        onBatch: (batch) => this.onBatch(group, batch),
        onCrash: restart,
      });
    } catch (error) {
      // At the start the service does not start. Later it would serve on without this group.
      if (group.subscription) restart(error as Error);
      throw error;
    }
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
      const takers = takersOf(group, record);
      if (takers.length === 0) this.unknownTypes.note(group.name, record);
      for (const { consumer, handler } of takers) await this.runner.run(consumer, handler, record, active);
    } finally {
      group.inWork.delete(number);
    }
  }

  private async stopConsumers(): Promise<void> {
    this.progress.stop();
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
