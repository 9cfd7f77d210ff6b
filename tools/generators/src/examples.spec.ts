import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { FsTree } from 'nx/src/generators/tree';
import { aggregateOf } from './aggregate.js';
import consumer from './consumer.js';
import event from './event.js';
import feature from './feature.js';
import migration from './migration.js';
import projection from './projection.js';
import usecase from './usecase.js';
import { nameOf } from './words.js';
import { appNamed } from './workspace.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');
/** In the order in which one example builds on another. */
const GENERATORS = { feature, usecase, event, consumer, projection, migration };

interface Schema {
  readonly properties: Readonly<Record<string, { readonly $default?: { readonly index: number } }>>;
  readonly examples: readonly { readonly command: string }[];
}

const schemaOf = (name: string) =>
  JSON.parse(readFileSync(path.join(import.meta.dirname, `${name}.schema.json`), 'utf8')) as Schema;

/** What Nx makes of a command line. */
function optionsOf({ properties }: Schema, command: string): Record<string, unknown> {
  const names = Object.keys(properties);
  const { values, positionals } = parseArgs({
    args: command.split(' ').slice(4),
    allowPositionals: true,
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  });
  const named = names.filter((name) => properties[name]?.$default);
  return { ...values, ...Object.fromEntries(named.map((name, index) => [name, positionals[index]])) };
}

describe('the examples of --help', () => {
  // One tree, as if one were typed after the other; nothing of it is written.
  const tree = new FsTree(ROOT, false);

  it.each(
    Object.entries(GENERATORS).flatMap(([name, generator]) => {
      const schema = schemaOf(name);
      return schema.examples.map(({ command }) => ({ command, generator, schema }));
    }),
  )('can be typed as they stand: $command', async ({ command, generator, schema }) => {
    const before = tree.listChanges().length;
    await generator(tree, optionsOf(schema, command) as never);
    expect(tree.listChanges().length).toBeGreaterThan(before);
  });
});

describe('an aggregate', () => {
  it.each([
    ['commerce', 'listing', { prefix: 'lst', owner: 'sellerId', collection: 'marketplace_listings' }],
    ['ledger', 'payout-method', { prefix: 'pym', owner: 'userId', collection: 'payout_methods' }],
    ['ledger', 'voucher', { prefix: 'vch', collection: 'vouchers' }],
    ['ledger', 'hold', { prefix: 'hld' }],
    ['identity', 'session', { prefix: 'ses', owner: 'userId', collection: 'user_sessions' }],
    ['identity', 'user', { prefix: 'usr', owner: 'id', collection: 'users' }],
    ['notifications', 'email', { prefix: 'eml', owner: 'userId', collection: 'email_logs' }],
  ])('is known by its own files, however they are written: %s %s', (app, noun, expected) => {
    const tree = new FsTree(ROOT, false);
    const found = aggregateOf(tree, appNamed(tree, app), nameOf(noun, 'a noun'));
    expect({ prefix: found?.prefix, owner: found?.owner, collection: found?.collection }).toEqual(expected);
  });
});
