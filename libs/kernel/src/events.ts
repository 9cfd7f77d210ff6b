import { type z } from 'zod';
import { actorSchema, type Context } from './context.js';
import { newId } from './ids.js';

/**
 * The CloudEvents 1.0 envelope that every fact travels in. `data` is the contract's own shape; the rest is the
 * same for all.
 */
export interface EventEnvelope<Data = unknown> {
  readonly id: string;
  /** `<app>.<noun>.<past>.v<major>` */
  readonly type: string;
  /** `/atelier/<app>` */
  readonly source: string;
  /** The aggregate's id; also the Kafka key, so that one aggregate's facts keep their order. */
  readonly subject: string;
  /** The aggregate's version after this fact: 1, 2, 3 … */
  readonly version: number;
  /** RFC 3339 */
  readonly time: string;
  readonly actor: string;
  readonly tenantId?: string;
  readonly correlationId: string;
  readonly causationId: string;
  readonly traceparent?: string;
  readonly data: Data;
}

/** A fact that a domain function has decided on, before `save` wraps it in its envelope. */
// why: definitions of all data types go where any of them is taken; each was checked when it was made.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export interface DomainEvent<Data = any> {
  readonly definition: EventDefinition<Data>;
  readonly subject: string;
  readonly data: Data;
}

/** New state and the facts that led to it: the only thing a repository saves. */
export interface Change<State> {
  readonly state: State;
  readonly events: readonly DomainEvent[];
}

export interface TopicOptions {
  readonly partitions: number;
  readonly retentionMs: number;
  /** `compact` for topics whose last message per key is the state. */
  readonly cleanup: 'delete' | 'compact';
}

const DAY_MS = 86_400_000;
/** Facts are kept for more than a year, so that a view can be rebuilt by replay (ADR 3). */
const FACTS_KEPT_MS = 400 * DAY_MS;
export const DEFAULT_TOPIC: TopicOptions = { partitions: 6, retentionMs: FACTS_KEPT_MS, cleanup: 'delete' };

// why: as above.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export interface EventDefinition<Data = any> {
  readonly app: string;
  readonly noun: string;
  /** Wire type: `commerce.purchase.completed.v1`. */
  readonly type: string;
  /** One topic per aggregate: `commerce.purchase.v1`. */
  readonly topic: string;
  readonly topicOptions: TopicOptions;
  /** One sentence: what has happened. */
  readonly summary: string;
  /** Which field of the data is the subject, and so the key on Kafka. */
  readonly subjectField: string;
  readonly schema: z.ZodType<Data>;
  readonly example: Data;
  /**
   * The fact about one aggregate. Throws a ZodError when the data breaks the contract, and an Error when its subject
   * field names another aggregate: faults of ours.
   */
  (subject: string, data: Data): DomainEvent<Data>;
}

const definedTypes = new Set<string>();
/** Whether a contract that this process has loaded defines the type. A newer producer's it may not know. */
export const isDefinedEvent = (type: string): boolean => definedTypes.has(type);

/** `<app>.<noun>.<past>.v<major>` */
export const EVENT_TYPE = /^([a-z]+)\.([a-z_]+)\.([a-z_]+)\.v(\d+)$/;

/** One topic per aggregate: `commerce.purchase.completed.v1` is told on `commerce.purchase.v1`. */
export const topicOf = (type: string): string => {
  const [app, noun, , major] = type.split('.');
  return `${app}.${noun}.${major}`;
};

const camel = (noun: string): string => noun.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** Defines a fact once: its TypeScript type, its run-time schema, its topic and its golden example. */
export function defineEvent<Schema extends z.ZodType>(options: {
  readonly type: string;
  readonly summary: string;
  readonly data: Schema;
  readonly example: z.infer<Schema>;
  /** Where the subject is not what the noun says: `userId` of `ledger.credits.granted.v1`. */
  readonly subjectField?: keyof z.infer<Schema> & string;
  readonly topic?: Partial<TopicOptions>;
}): EventDefinition<z.infer<Schema>> {
  type Data = z.infer<Schema>;
  const match = EVENT_TYPE.exec(options.type);
  if (!match) throw new Error(`event type "${options.type}" is not <app>.<noun>.<past>.v<major>`);
  const [, app, noun] = match as unknown as [string, string, string];
  const subjectField = options.subjectField ?? `${camel(noun)}Id`;
  const create = (subject: string, data: Data): DomainEvent<Data> => {
    const parsed: Data = options.data.parse(data);
    // A wrong key would part the facts of one aggregate, and their order would be gone.
    const told = (parsed as Readonly<Record<string, unknown>>)[subjectField];
    if (told !== undefined && told !== subject)
      throw new Error(
        `${options.type} is about ${subject}, but its ${subjectField} is ${JSON.stringify(told)}`,
      );
    return { definition, subject, data: parsed };
  };
  definedTypes.add(options.type);
  const definition = Object.assign(create, {
    app,
    noun,
    type: options.type,
    topic: topicOf(options.type),
    topicOptions: { ...DEFAULT_TOPIC, ...options.topic },
    summary: options.summary,
    subjectField,
    schema: options.data as unknown as z.ZodType<Data>,
    example: options.example,
  }) as unknown as EventDefinition<Data>;
  return definition;
}

/** Wraps a decided fact for the wire. */
export function toEnvelope<Data>(
  event: DomainEvent<Data>,
  version: number,
  context: Context,
  now: Date,
): EventEnvelope<Data> {
  return {
    id: newId('evt'),
    type: event.definition.type,
    source: `/atelier/${event.definition.app}`,
    subject: event.subject,
    version,
    time: now.toISOString(),
    actor: `${context.actor.kind}:${context.actor.id}`,
    ...(context.tenantId ? { tenantId: context.tenantId } : {}),
    correlationId: context.correlationId,
    causationId: context.causationId,
    ...(context.traceparent ? { traceparent: context.traceparent } : {}),
    data: event.data,
  };
}

/** An envelope with a given payload, as tests and replays need it; the context is the system's own. */
export function exampleEnvelope<Data>(
  definition: EventDefinition<Data>,
  data: Data = definition.example,
  overrides: Partial<EventEnvelope<Data>> = {},
): EventEnvelope<Data> {
  const id = newId('evt');
  return {
    id,
    type: definition.type,
    source: `/atelier/${definition.app}`,
    subject: newId('exm'),
    version: 1,
    time: new Date().toISOString(),
    actor: 'service:example',
    correlationId: id,
    causationId: id,
    data,
    ...overrides,
  };
}

/** Reads `user:usr_…` back; unknown forms become the anonymous actor, never an error. */
export function parseActor(text: string): { kind: 'user' | 'service' | 'anonymous'; id: string } {
  const [kind, id] = text.split(':', 2);
  const parsed = actorSchema.safeParse({ kind, id });
  return parsed.success
    ? { kind: parsed.data.kind, id: parsed.data.id }
    : { kind: 'anonymous', id: 'anonymous' };
}
