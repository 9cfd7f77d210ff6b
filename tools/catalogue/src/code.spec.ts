import { z } from 'zod';
import { defineEvent } from '@atelier/kernel';
import { scanSource } from './code.js';
import type { Contract } from './contracts.js';
import { choose, describe as flowOf } from './flow-text.js';

const contract = (name: string, past: string): Contract => ({
  name,
  file: 'libs/contracts/src/shop/order.events.ts',
  specifier: '@atelier/contracts/shop/order.events',
  definition: defineEvent({ type: `shop.order.${past}.v1`, summary: name, data: z.object({}), example: {} }),
});
const contracts = [contract('OrderPlaced', 'placed'), contract('OrderCanceled', 'canceled')];
const scan = (text: string) => scanSource('apps/shop/src/file.ts', text, contracts);

describe('the scan of the code', () => {
  it('finds who states a fact, also under another name', () => {
    const { producers } = scan(`
      import { OrderPlaced as Placed } from '@atelier/contracts/shop/order.events';
      export function placeOrder(id: string) {
        return [Placed(id, {})];
      }`);
    expect(producers).toEqual([
      { type: 'shop.order.placed.v1', inFunction: 'placeOrder', file: 'apps/shop/src/file.ts', line: 4 },
    ]);
  });

  it('finds reactions and projections, through lists and constants, and the views that they write', () => {
    const { consumers, producers } = scan(`
      import { OrderCanceled, OrderPlaced } from '@atelier/contracts/shop/order.events';
      const facts = [OrderPlaced, OrderCanceled];
      @Projection({ id: 'shop.view-orders', group: 'shop.view-orders', consumes: facts })
      export class Orders { rows = model('view_orders'); }
      @Consumer({ id: 'shop.on-order-placed', group: 'shop.stock', consumes: OrderPlaced })
      export class OnOrderPlaced {}`);
    expect(producers).toEqual([]);
    expect(consumers).toMatchObject([
      {
        id: 'shop.view-orders',
        kind: 'projection',
        types: ['shop.order.placed.v1', 'shop.order.canceled.v1'],
        views: ['view_orders'],
        line: 5,
      },
      { id: 'shop.on-order-placed', group: 'shop.stock', kind: 'reaction', types: ['shop.order.placed.v1'] },
    ]);
  });

  it('takes no call for a fact that only has the name of one', () => {
    const { producers } = scan(`
      import type { Other } from '@atelier/contracts/shop/others.api';
      import { OrderPlaced } from './another-place.js';
      OrderPlaced('id', {});`);
    expect(producers).toEqual([]);
  });
});

describe('npm run flow', () => {
  it('knows an event by its name and by its type', () => {
    for (const wanted of ['OrderPlaced', 'orderplaced', 'shop.order.placed', 'shop.order.placed.v1']) {
      expect(choose(wanted, contracts).contract).toBe(contracts[0]);
    }
  });

  it('suggests the nearest names for one that it does not know', () => {
    expect(choose('OrderPlayed', contracts)).toEqual({ suggestions: ['OrderPlaced', 'OrderCanceled'] });
  });

  it('says plainly that nobody consumes a fact', () => {
    expect(flowOf(contracts[0]!, { producers: [], consumers: [] })).toContain('reactions\n  nobody yet');
  });
});
