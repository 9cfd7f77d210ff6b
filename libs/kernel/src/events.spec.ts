import { z, ZodError } from 'zod';
import type { Context } from './context.js';
import {
  DEFAULT_TOPIC,
  defineEvent,
  exampleEnvelope,
  isDefinedEvent,
  parseActor,
  toEnvelope,
} from './events.js';

const OrderPlaced = defineEvent({
  type: 'shop.order_line.placed.v2',
  summary: 'Somebody ordered.',
  data: z.object({ amount: z.int() }),
  example: { amount: 1 },
  topic: { partitions: 12 },
});
const context: Context = {
  actor: { kind: 'user', id: 'usr_1', role: 'admin' },
  correlationId: 'req_1',
  causationId: 'req_2',
};

describe('the definition of an event', () => {
  it('reads owner, noun and topic from the type, and keeps what it does not say of the topic', () => {
    expect({ ...OrderPlaced }).toMatchObject({
      app: 'shop',
      noun: 'order_line',
      topic: 'shop.order_line.v2',
    });
    expect(OrderPlaced.topicOptions).toEqual({ ...DEFAULT_TOPIC, partitions: 12 });
  });

  it.each(['order.placed.v1', 'shop.order.placed', 'Shop.order.placed.v1', 'shop.order.placed.v1.x'])(
    'refuses the type %s',
    (type) => {
      expect(() => defineEvent({ type, summary: '', data: z.object({}), example: {} })).toThrow(type);
    },
  );

  it('is known by its type from then on', () => {
    expect(['shop.order_line.placed.v2', 'shop.order_line.placed.v3'].map(isDefinedEvent)).toEqual([
      true,
      false,
    ]);
  });

  it('makes facts, and none that breaks the contract', () => {
    expect(OrderPlaced('oln_1', { amount: 2 })).toEqual({
      definition: OrderPlaced,
      subject: 'oln_1',
      data: { amount: 2 },
    });
    expect(() => OrderPlaced('oln_1', { amount: 0.5 })).toThrow(ZodError);
  });
});

describe('the subject of a fact', () => {
  const data = z.object({ orderLineId: z.string(), userId: z.string() });
  const example = { orderLineId: 'oln_1', userId: 'usr_1' };
  const type = 'shop.order_line.packed.v1';
  const OrderPacked = defineEvent({ type, summary: '', data, example });
  const OrderPaid = defineEvent({ type, summary: '', data, example, subjectField: 'userId' });

  it("is the noun's id, unless the definition names another field", () => {
    expect([OrderPacked.subjectField, OrderPaid.subjectField]).toEqual(['orderLineId', 'userId']);
    expect([OrderPacked('oln_1', example).subject, OrderPaid('usr_1', example).subject]).toEqual([
      'oln_1',
      'usr_1',
    ]);
  });

  it('is never another than its data says', () => {
    expect(() => OrderPacked('usr_1', example)).toThrow(
      `${type} is about usr_1, but its orderLineId is "oln_1"`,
    );
    expect(() => OrderPaid('oln_1', example)).toThrow('its userId is "usr_1"');
  });
});

describe('the envelope', () => {
  const now = new Date('2026-11-21T08:00:00.000Z');

  it('tells what, of whom, when, by whom and why', () => {
    const envelope = toEnvelope(OrderPlaced('oln_1', { amount: 2 }), 3, context, now);
    expect(envelope).toEqual({
      id: expect.stringMatching(/^evt_/) as string,
      type: 'shop.order_line.placed.v2',
      source: '/atelier/shop',
      subject: 'oln_1',
      version: 3,
      time: '2026-11-21T08:00:00.000Z',
      actor: 'user:usr_1',
      correlationId: 'req_1',
      causationId: 'req_2',
      data: { amount: 2 },
    });
  });

  it('has tenant and trace when the context has them', () => {
    const more = { ...context, tenantId: 'ten_1', traceparent: '00-1-2-01' };
    expect(toEnvelope(OrderPlaced('oln_1', { amount: 2 }), 1, more, now)).toMatchObject({
      tenantId: 'ten_1',
      traceparent: '00-1-2-01',
    });
  });

  it('of an example is whole, and takes what a test wants to say', () => {
    expect(exampleEnvelope(OrderPlaced, { amount: 7 }, { subject: 'oln_9' })).toMatchObject({
      type: OrderPlaced.type,
      subject: 'oln_9',
      data: { amount: 7 },
    });
    expect(exampleEnvelope(OrderPlaced).data).toEqual(OrderPlaced.example);
  });

  it('has an actor that can be read back; nonsense is nobody, never an error', () => {
    expect(parseActor('user:usr_1')).toEqual({ kind: 'user', id: 'usr_1' });
    for (const nonsense of ['', 'root:1', 'user:', 'user']) {
      expect(parseActor(nonsense)).toEqual({ kind: 'anonymous', id: 'anonymous' });
    }
  });
});
