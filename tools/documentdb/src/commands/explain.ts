import { BSON, type Document } from 'bson';
import { CommandError } from '../errors.js';
import type { Row } from '../postgres.js';
import { decode, encode } from '../wire.js';
import type { Command } from './command.js';

/** The set-returning function that stands for each command that can be explained. */
const SOURCES: Readonly<Record<string, string>> = {
  find: 'bson_aggregation_find',
  aggregate: 'bson_aggregation_pipeline',
  count: 'bson_aggregation_count',
  distinct: 'bson_aggregation_distinct',
};

/** The parts of PostgreSQL's plan that are shown. */
interface PlanNode {
  'Node Type': string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Actual Rows'?: number;
  IndexDetails?: { indexName: string; indexKey?: string }[];
  Plans?: PlanNode[];
}

const INDEX_SCANS: ReadonlySet<string> = new Set(['Index Scan', 'Index Only Scan', 'Bitmap Index Scan']);
/** Nodes that only pass rows on; MongoDB's plans have nothing like them. */
const TRANSPARENT: ReadonlySet<string> = new Set([
  'Custom Scan',
  'Subquery Scan',
  'Result',
  'ProjectSet',
  'Gather',
]);
const STAGES: Readonly<Record<string, string>> = {
  'Seq Scan': 'COLLSCAN',
  'Bitmap Heap Scan': 'FETCH',
  'Incremental Sort': 'SORT',
  Aggregate: 'GROUP',
};

/**
 * find, aggregate, count and distinct: PostgreSQL's plan in MongoDB's words, so that a test can ask
 * `winningPlan` for `IXSCAN`, `indexName` and `keyPattern`. Runs the query unless verbosity is `queryPlanner`.
 */
export const explain: Command = async ({ client, head, raw }) => {
  const { explain: inner, verbosity = 'allPlansExecution' } = decode(raw) as {
    explain: Document;
    verbosity?: string;
  };
  const [name = ''] = Object.keys(inner);
  const source = SOURCES[name];
  if (!source) throw new CommandError(59, 'CommandNotFound', `explain of '${name}' is not supported`);
  const runs = verbosity !== 'queryPlanner';
  const spec = encode(name === 'aggregate' ? { cursor: {}, ...inner } : inner).toString('hex');
  // EXPLAIN plans with the values themselves, so they go in as literals; hex and a doubled quote are safe ones.
  const text =
    `EXPLAIN (FORMAT JSON${runs ? ', ANALYZE' : ''}) SELECT document FROM documentdb_api_catalog.${source}` +
    `('${head.db.replaceAll("'", "''")}', '\\x${spec}'::bytea)`;
  const { rows } = await client.query<Row>({ text, rowMode: 'array' });
  const [explained] = rows[0]?.[0] as [{ Plan: PlanNode; 'Execution Time'?: number }];
  const executionStats = {
    executionSuccess: true,
    nReturned: explained.Plan['Actual Rows'],
    executionTimeMillis: Math.round(explained['Execution Time'] ?? 0),
  };
  return {
    explainVersion: '1',
    command: inner,
    queryPlanner: { namespace: `${head.db}.${inner[name]}`, winningPlan: stageOf(explained.Plan, new Map()) },
    ...(runs ? { executionStats } : {}),
    ok: 1,
  };
};

function stageOf(node: PlanNode, keys: Map<string, Document>): Document {
  for (const { indexName, indexKey } of node.IndexDetails ?? []) {
    if (indexKey) keys.set(indexName, BSON.EJSON.parse(indexKey) as Document);
  }
  const inputs = (node.Plans ?? []).map((child) => stageOf(child, keys));
  const [first] = inputs;
  if (TRANSPARENT.has(node['Node Type']) && first && inputs.length === 1) return first;
  const indexName = node['Index Name'];
  if (indexName !== undefined && INDEX_SCANS.has(node['Node Type'])) {
    // Every collection is one shard key value: an _id index asked for that alone is read from end to end.
    const whole = indexName === '_id_' && !node['Index Cond']?.includes('object_id');
    return whole ? { stage: 'COLLSCAN' } : { stage: 'IXSCAN', indexName, keyPattern: keys.get(indexName) };
  }
  const stage = STAGES[node['Node Type']] ?? node['Node Type'].toUpperCase().replaceAll(' ', '_');
  if (inputs.length > 1) return { stage, inputStages: inputs };
  return first ? { stage, inputStage: first } : { stage };
}
