import type { RegisteredConsumer } from './consumer.js';
import { retryTopic } from './dead-letters.js';
import type { Subscription } from './event-bus.js';
import type { Handler } from './runner.js';

/** The consumers that share a subscription, and what they are at. */
export interface Group {
  readonly name: string;
  readonly consumers: { readonly consumer: RegisteredConsumer; readonly handler: Handler }[];
  subscription?: Subscription;
  /** When the records now in work were begun, by a number of their own. */
  readonly inWork: Map<number, number>;
}

/** The facts that its consumers take. */
export const topicsOf = (group: Group): string[] => [
  ...new Set(group.consumers.flatMap(({ consumer }) => consumer.consumes.map(({ topic }) => topic))),
];

/** All that it reads: the facts, and the orders to handle a dead letter again. */
export const readsOf = (group: Group): string[] => [...topicsOf(group), retryTopic(group.name).topic];
