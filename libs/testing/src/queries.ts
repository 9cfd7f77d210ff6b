import type { Database } from '@atelier/persistence';

type Document = Readonly<Record<string, unknown>>;
interface Query {
  readonly collection: string;
  /** The reading half of the command, as `explain` takes it. */
  readonly command: Document;
}

/** Tiny collections of the platform that are read whole on purpose. */
const PLUMBING = ['_outbox', '_outbox_leases', '_migrations', '_migration_lock'];
const SHAPES_MAX = 2_000;
const STACK_FRAMES = 60;
/** Who asks: a spec's own assertions are not the service's queries. */
const FROM_A_TEST = /\.spec\.ts|[\\/]testing[\\/](src|dist)[\\/]/;

export interface RecordedQueries {
  /** How many different queries there were. */
  readonly count: number;
  /**
   * Explains each query with the values that it came with, and throws when one reads a whole collection.
   * `except` names collections that stay tiny; say why beside it.
   */
  expectEveryQueryToUseAnIndex(options?: { readonly except?: readonly string[] }): Promise<void>;
}

/** From now on notes every query that the service under test sends, one per shape. */
export function recordQueries(database: Database): RecordedQueries {
  const queries = new Map<string, Query>();
  const client = database.connection.getClient();
  client.on('commandStarted', ({ commandName, command, databaseName }) => {
    if (databaseName !== database.connection.name || queries.size > SHAPES_MAX) return;
    const found = readsOf(commandName, command);
    if (found.length === 0 || FROM_A_TEST.test(longStack())) return;
    for (const query of found) {
      const shape = JSON.stringify([commandName, query.collection, shapeOf(query.command)]);
      if (!queries.has(shape)) queries.set(shape, query);
    }
  });
  return {
    get count() {
      return queries.size;
    },
    async expectEveryQueryToUseAnIndex({ except = [] } = {}) {
      if (queries.size === 0) {
        throw new Error('No query was recorded: call recordQueries before the service is used.');
      }
      if (queries.size > SHAPES_MAX) {
        throw new Error(
          `More than ${SHAPES_MAX} different queries: not all were noted. Look at fewer at once.`,
        );
      }
      const excepted = new Set([...PLUMBING, ...except]);
      const scans: string[] = [];
      for (const { collection, command } of queries.values()) {
        if (excepted.has(collection)) continue;
        const plan = await database.connection.db!.command({ explain: command, verbosity: 'queryPlanner' });
        if (JSON.stringify(plan).includes('"COLLSCAN"')) scans.push(`${collection}: ${show(command)}`);
      }
      if (scans.length > 0) {
        throw new Error(
          `These queries read a whole collection; declare an index in its schema:\n  ${scans.join('\n  ')}`,
        );
      }
    },
  };
}

/** What a command reads, as finds and aggregations. */
function readsOf(name: string, command: Document): Query[] {
  const collection = String(command[name]);
  const find = (filter: unknown, more: Document = {}): Query => ({
    collection,
    command: { find: collection, filter: filter ?? {}, ...more },
  });
  switch (name) {
    case 'find':
      return [find(command['filter'], pick(command, ['sort', 'limit', 'skip', 'projection', 'collation']))];
    case 'aggregate':
      if (typeof command['aggregate'] !== 'string') return [];
      return [{ collection, command: { aggregate: collection, pipeline: command['pipeline'], cursor: {} } }];
    case 'count':
    case 'distinct':
      return [find(command['query'])];
    case 'findAndModify':
      return [find(command['query'], { ...pick(command, ['sort']), limit: 1 })];
    case 'update':
      return (command['updates'] as Document[]).map(({ q }) => find(q));
    case 'delete':
      // To empty a collection is to read all of it.
      return (command['deletes'] as { q: Document }[])
        .filter(({ q }) => Object.keys(q).length > 0)
        .map(({ q }) => find(q));
    default:
      return [];
  }
}

/**
 * The command with its values left out: two requests that differ only by an id are one query. The driver makes a Map of
 * an order, which is part of the shape as it is.
 */
function shapeOf(value: unknown): unknown {
  if (value instanceof Map) return [...(value as ReadonlyMap<string, unknown>)];
  if (Array.isArray(value)) return [...new Set(value.map((item) => JSON.stringify(shapeOf(item))))];
  if (typeof value !== 'object' || value === null) return typeof value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value.constructor.name;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]));
}

const pick = (command: Document, keys: readonly string[]): Document =>
  Object.fromEntries(keys.flatMap((key) => (command[key] === undefined ? [] : [[key, command[key]]])));

const show = ({ find: _find, aggregate: _aggregate, cursor: _cursor, ...rest }: Document): string =>
  JSON.stringify(rest, (_, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value));

function longStack(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_FRAMES;
  const { stack = '' } = new Error();
  Error.stackTraceLimit = limit;
  // The first frames are this file's own.
  return stack.split('\n').slice(3).join('\n');
}
