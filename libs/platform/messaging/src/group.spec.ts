import { z } from 'zod';
import { defineEvent } from '@atelier/kernel';
import type { RegisteredConsumer } from './consumer.js';
import { RETRY_COMMAND, RETRY_CONSUMER, RETRY_LETTER, retryTopic } from './dead-letters.js';
import { takersOf, type Group } from './group.js';

const fact = (type: string) => defineEvent({ type, summary: '', data: z.object({}), example: {} });
const consumer = (id: string, type: string): RegisteredConsumer => ({
  id,
  group: 'desk.orders',
  consumes: [fact(type)],
  kind: 'reaction',
});
const group: Group = {
  name: 'desk.orders',
  consumers: [
    consumer('desk.on-letter-posted', 'post.letter.posted.v1'),
    consumer('desk.on-order-given', 'office.order.given.v1'),
    consumer('desk.on-order-changed', 'office.order.changed.v1'),
    consumer('desk.also-on-order-given', 'office.order.given.v1'),
  ].map((one) => ({ consumer: one, handler: () => Promise.resolve() })),
  inWork: new Map(),
};
const takers = (headers: Record<string, string>, topic = 'office.order.v1') =>
  takersOf(group, { key: 'ord_1', value: null, headers, topic, partition: 0, offset: 0n }).map(
    (taker) => taker.consumer.id,
  );

describe('a record of a group', () => {
  it('is for everybody who takes its type', () => {
    expect(takers({ ce_type: 'office.order.given.v1' })).toEqual([
      'desk.on-order-given',
      'desk.also-on-order-given',
    ]);
  });

  it('is for nobody when nobody takes its type', () => {
    expect(takers({ ce_type: 'office.order.cancelled.v1' })).toEqual([]);
  });

  it.each<Record<string, string>>([
    {},
    { ce_type: '' },
    { ce_type: 'order' },
    { ce_type: 'office.order.given' },
  ])('is for one reader of its topic when its type is unreadable: %j', (headers) => {
    expect(takers(headers)).toEqual(['desk.on-order-given']);
    expect(takers(headers, retryTopic(group.name).topic)).toHaveLength(1);
  });

  it.each<Record<string, string>>([{}, { ce_type: 'office.order.given.v1' }])(
    'is for whom an order names: %j',
    (headers) => {
      const order = {
        [RETRY_CONSUMER]: 'desk.also-on-order-given',
        [RETRY_COMMAND]: 'drop',
        [RETRY_LETTER]: 'x',
      };
      expect(takers({ ...headers, ...order })).toEqual(['desk.also-on-order-given']);
    },
  );
});
