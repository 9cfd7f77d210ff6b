import type { RegisteredConsumer } from './consumer.js';
import { retryOrder, retryTopic } from './dead-letters.js';
import type { ReceivedRecord, Subscription } from './event-bus.js';
import { eventTypeOf } from './message.js';
import type { Handler } from './runner.js';

interface Member {
  readonly consumer: RegisteredConsumer;
  readonly handler: Handler;
}

/** The consumers that share a subscription, and what they are at. */
export interface Group {
  readonly name: string;
  readonly consumers: Member[];
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

/**
 * Who takes the record. A type that nobody takes is passed over: others share the topic, and a newer producer may state
 * more. A record that tells no type is nobody's either, and must not vanish: the first that reads its topic takes it,
 * cannot read it, and makes it the group's dead letter.
 */
export function takersOf(group: Group, record: ReceivedRecord): readonly Member[] {
  const order = retryOrder(record);
  if (order) return group.consumers.filter(({ consumer }) => consumer.id === order.consumer);
  const type = eventTypeOf(record);
  const takes = (by: 'type' | 'topic', value: string) => (member: Member) =>
    member.consumer.consumes.some((event) => event[by] === value);
  if (type !== undefined) return group.consumers.filter(takes('type', type));
  return [group.consumers.find(takes('topic', record.topic)) ?? group.consumers[0]!];
}
