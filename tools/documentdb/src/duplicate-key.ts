import type { Document } from 'bson';
import type { Head } from './head.js';
import type { Pool } from 'pg';
import { query, statement, type Client } from './postgres.js';
import { decode } from './wire.js';

/** The engine names the index in a batch's write error, and PostgreSQL's constraint in any other failure. */
const BY_NAME = /Index '(.+)'$/;
const BY_ID = /documents_rum_index_(\d+)/;
const PRIMARY = /collection_pk_\d+/;

const INDEX = statement(
  'index_of_duplicate',
  `SELECT (index_spec).index_name, (index_spec).index_key::bytea
   FROM documentdb_api_catalog.collection_indexes JOIN documentdb_api_catalog.collections USING (collection_id)
   WHERE database_name = $1 AND collection_name = $2 AND ((index_spec).index_name = $3 OR index_id = $4::int)`,
);

/**
 * MongoDB's message and the `keyPattern` of the unique index that a duplicate-key failure names; the engine
 * gives its own message only. Throws when `reader` cannot read.
 */
export async function explainDuplicate(
  reader: Client | Pool,
  { db, collection }: Head,
  message: string,
): Promise<{ errmsg: string; keyPattern?: Document }> {
  const id = BY_ID.exec(message)?.[1] ?? null;
  let name = PRIMARY.test(message) ? '_id_' : (BY_NAME.exec(message)?.[1] ?? null);
  let keyPattern: Document | undefined = name === '_id_' ? { _id: 1 } : undefined;
  if (!keyPattern && (name !== null || id !== null)) {
    const [row] = await query(reader, INDEX, [db, collection, name, id]);
    if (row) [name, keyPattern] = [row[0] as string, decode(row[1] as Buffer)];
  }
  return {
    errmsg: `E11000 duplicate key error collection: ${db}.${collection} index: ${name ?? message}`,
    keyPattern,
  };
}
