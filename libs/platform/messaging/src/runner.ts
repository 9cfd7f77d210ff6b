import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { ZodError } from 'zod';
import { parseActor, type Context, type EventEnvelope } from '@atelier/kernel';
import { counter, histogram, runInContext, withSpan } from '@atelier/observability';
import { isOutage, type Database } from '@atelier/persistence';
import type { RegisteredConsumer } from './consumer.js';
import { type DeadLetters, nameOf, retryOrder } from './dead-letters.js';
import type { ReceivedRecord } from './event-bus.js';
import { AlreadyHandled, type Inbox } from './inbox.js';
import { eventTypeOf, fromRecord } from './message.js';

export interface RunnerLimits {
  /** Tries of one event by one consumer before it becomes a dead letter. */
  readonly attemptsMax: number;
  readonly backoffBaseMs: number;
  /** How long to wait between tries while the database itself is away; such tries are not counted. */
  readonly outagePauseMs: number;
}

export type Handler = (event: EventEnvelope, context: Context) => Promise<void>;

const handled = counter('atelier_consumer_events_total', 'Events by consumer and outcome.', [
  'consumer',
  'outcome',
]);
const duration = histogram('atelier_consumer_duration_seconds', 'Time from taking an event to its commit.', [
  'consumer',
]);
const REASON_LENGTH_MAX = 500;

/** This event can never be handled: retrying would only repeat the failure. */
class Unreadable extends Error {}
/** An earlier event of the same key is a dead letter and this consumer keeps order. */
class WaitsBehind extends Error {}

/**
 * Handles one record by one consumer, exactly once in effect: the note in the inbox, the handler's writes and
 * the facts that it states commit together. Failures retry with jitter, then become a dead letter; the
 * partition moves on. While the database is away the record waits: an outage is nobody's dead letter.
 */
export class Runner {
  private readonly log = new Logger('consumer');

  constructor(
    private readonly database: Database,
    private readonly inbox: Inbox,
    private readonly deadLetters: DeadLetters,
    private readonly limits: RunnerLimits,
  ) {}

  /**
   * Resolves when the record needs no further delivery. Rejects when `active` turned false meanwhile, or when a dead
   * letter could not be written or settled: then the record comes again.
   */
  async run(
    consumer: RegisteredConsumer,
    handler: Handler,
    record: ReceivedRecord,
    active: () => boolean,
  ): Promise<void> {
    const order = retryOrder(record);
    const startedAt = process.hrtime.bigint();
    const outcome = await this.attempt(consumer, handler, record, active, order?.command === 'drop');
    if (order && outcome !== 'dead') {
      await this.inbox.unpark(consumer.id, record.key, record.headers['ce_id'] ?? '');
      await this.deadLetters.settle(consumer.group, order.letter);
    }
    handled.inc({ consumer: consumer.id, outcome });
    duration.observe({ consumer: consumer.id }, Number(process.hrtime.bigint() - startedAt) / 1e9);
  }

  private async attempt(
    consumer: RegisteredConsumer,
    handler: Handler,
    record: ReceivedRecord,
    active: () => boolean,
    drop: boolean,
  ): Promise<'handled' | 'duplicate' | 'dead' | 'dropped'> {
    if (drop) return 'dropped';
    for (let attempt = 1; ;) {
      try {
        await this.handleOnce(consumer, handler, record);
        return 'handled';
      } catch (error) {
        if (error instanceof AlreadyHandled) return 'duplicate';
        if (!active()) throw error;
        if (isOutage(error)) {
          this.log.warn(`${consumer.id}: the database is away (${messageOf(error)}); the event waits`);
          await sleep(this.limits.outagePauseMs);
          continue;
        }
        const final =
          error instanceof Unreadable || error instanceof WaitsBehind || attempt >= this.limits.attemptsMax;
        if (final) {
          await this.bury(consumer, record, attempt, error);
          return 'dead';
        }
        this.log.warn(
          `${consumer.id}: try ${attempt} of ${this.limits.attemptsMax} failed: ${messageOf(error)}`,
        );
        await sleep(this.limits.backoffBaseMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
        attempt++;
      }
    }
  }

  private async handleOnce(
    consumer: RegisteredConsumer,
    handler: Handler,
    record: ReceivedRecord,
  ): Promise<void> {
    const event = read(consumer, record);
    const context = contextOf(event);
    await runInContext(context, () =>
      withSpan(
        consumer.id,
        {
          'messaging.destination.name': record.topic,
          'messaging.message.id': event.id,
          'event.type': event.type,
        },
        async () => {
          const place = consumer.ordered
            ? await this.inbox.placeInLine(consumer.id, record.key, event.id)
            : 'free';
          if (place === 'behind') {
            throw new WaitsBehind('an earlier event of this key is a dead letter of this consumer');
          }
          await this.database.transaction(async () => {
            await this.inbox.enter(consumer.id, event.id);
            await handler(event, context);
            // It was parked, and is handled after all: by a replay, or because its dead letter could not be written.
            if (place === 'first') await this.inbox.unpark(consumer.id, record.key, event.id);
          });
        },
        { parentTraceparent: event.traceparent },
      ),
    );
  }

  private async bury(
    consumer: RegisteredConsumer,
    record: ReceivedRecord,
    attempts: number,
    error: unknown,
  ): Promise<void> {
    const reason = messageOf(error);
    const type = eventTypeOf(record);
    this.log.error(`${consumer.id}: ${type ?? 'no event'} ${nameOf(record)} is a dead letter: ${reason}`);
    // Parked first: a crash between the two leaves the record uncommitted, and it comes again.
    // What is no event has no place in the order of its key.
    if (consumer.ordered && type !== undefined)
      await this.inbox.park(consumer.id, record.key, record.headers['ce_id'] ?? '');
    const { key, value, headers } = record;
    await this.deadLetters.add({
      // One that fails at its replay stays the letter that it was.
      id: retryOrder(record)?.letter ?? `${consumer.id}:${nameOf(record)}`,
      group: consumer.group,
      consumer: consumer.id,
      reason: reason.slice(0, REASON_LENGTH_MAX),
      attempts,
      failedAt: new Date().toISOString(),
      original: { topic: record.topic, partition: record.partition, offset: record.offset.toString() },
      record: {
        key,
        value,
        headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-retry-'))),
      },
    });
  }
}

function read(consumer: RegisteredConsumer, record: ReceivedRecord): EventEnvelope {
  try {
    const event = fromRecord(record);
    const definition = consumer.consumes.find(({ type }) => type === event.type);
    return { ...event, data: definition!.schema.parse(event.data) };
  } catch (error) {
    throw new Unreadable(
      error instanceof ZodError
        ? `breaks its contract: ${error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ')}`
        : `cannot be read: ${messageOf(error)}`,
    );
  }
}

/** Whoever caused the event stays the actor of what follows from it; the event is its cause. */
function contextOf(event: EventEnvelope): Context {
  return {
    actor: parseActor(event.actor),
    correlationId: event.correlationId,
    causationId: event.id,
    ...(event.traceparent ? { traceparent: event.traceparent } : {}),
    ...(event.tenantId ? { tenantId: event.tenantId } : {}),
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
