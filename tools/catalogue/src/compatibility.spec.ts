import { z } from 'zod';
import { defineEvent } from '@atelier/kernel';
import { breaches, teach } from './compatibility.js';
import { schemaOf } from './contracts.js';

const schema = (data: z.ZodType) =>
  schemaOf(defineEvent({ type: 'shop.order.placed.v1', summary: 'An order.', data, example: {} }));
const past = z.object({
  orderId: z.string(),
  note: z.string().max(10).nullable(),
  size: z.enum(['small', 'large']),
  lines: z.array(z.object({ sku: z.string() })),
  gift: z.boolean().optional(),
});
const breachesOf = (now: z.ZodType) => breaches(schema(past), schema(now));

describe('the compatibility of a contract with its past', () => {
  it('lets a contract stay as it is, and grow by optional fields, wider bounds and further values', () => {
    expect(breachesOf(past)).toEqual([]);
    const grown = past.extend({
      voucher: z.string().optional(),
      note: z.string().max(20).nullable(),
      size: z.enum(['small', 'large', 'huge']),
    });
    expect(breachesOf(grown)).toEqual([]);
  });

  it.each([
    ['a removed field', past.omit({ gift: true }), 'data.gift: was removed'],
    ['a new required field', past.extend({ voucher: z.string() }), 'data.voucher: is required now'],
    ['a field that became required', past.extend({ gift: z.boolean() }), 'data.gift: is required now'],
    [
      'a field that became optional',
      past.extend({ orderId: z.string().optional() }),
      'data.orderId: is optional',
    ],
    ['another type', past.extend({ orderId: z.int() }), 'data.orderId: was string and is now integer'],
    [
      'null no longer allowed',
      past.extend({ note: z.string().max(10) }),
      'data.note: was null and is now string',
    ],
    [
      'a tighter bound',
      past.extend({ note: z.string().max(5).nullable() }),
      'data.note: string is no longer',
    ],
    ['a removed value', past.extend({ size: z.enum(['small']) }), 'data.size: "large" is no longer allowed'],
    ['a stricter format', past.extend({ orderId: z.uuid() }), 'data.orderId: '],
    [
      'a removed field of a list',
      past.extend({ lines: z.array(z.object({})) }),
      'data.lines[].sku: was removed',
    ],
    ['refusing unknown fields', z.strictObject(past.shape), 'data: refuses unknown fields now'],
  ])('refuses %s', (_change, now, breach) => {
    expect(breachesOf(now).join('\n')).toContain(breach);
  });

  it('says what to do instead', () => {
    expect(teach('shop.order.placed.v1', ['data.gift: was removed'])).toContain(
      'define shop.order.placed.v2',
    );
  });
});
