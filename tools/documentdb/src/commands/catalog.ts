import type { Document } from 'bson';
import { codeOf, CommandError } from '../errors.js';
import { query, statement } from '../postgres.js';
import { decode } from '../wire.js';
import { only, type Command } from './command.js';

const CREATE = statement('create', 'SELECT documentdb_api.create_collection_view($1, $2::bytea)::bytea');
const DROP = statement('drop', 'SELECT documentdb_api.drop_collection($1, $2)');
const DROP_DATABASE = statement('drop_database', 'SELECT documentdb_api.drop_database($1)');
const RENAME = statement('rename', 'SELECT documentdb_api.rename_collection($1::bytea)');
const COLL_MOD = statement('coll_mod', 'SELECT documentdb_api.coll_mod($1, $2, $3::bytea)::bytea');
const COLL_STATS = statement('coll_stats', 'SELECT documentdb_api.coll_stats($1, $2, 1)::bytea');
const DB_STATS = statement('db_stats', 'SELECT documentdb_api.db_stats($1, 1, false)::bytea');
const LIST_DATABASES = statement('list_databases', 'SELECT documentdb_api.list_databases($1::bytea)::bytea');
const CREATE_INDEXES = statement(
  'create_indexes',
  'SELECT documentdb_api_internal.create_indexes_non_concurrently($1, $2::bytea, true)::bytea',
);
const DROP_INDEXES = statement(
  'drop_indexes',
  'SELECT documentdb_api_internal.drop_indexes_non_concurrently($1, $2::bytea)::bytea',
);

const ok: Document = { ok: 1 };

/** A reply `ok: 0` of the extension carries a packed code; it becomes an error of ours. `ok` may be a boolean. */
function succeeded(reply: Document): Document {
  if (reply.ok) return { ...reply, ok: 1 };
  const [code, name] = codeOf(Number(reply.code ?? 8));
  throw new CommandError(code, reply.codeName ?? name, reply.errmsg ?? 'the command failed');
}

export const create: Command = async ({ client, head, raw }) => {
  await query(client, CREATE, [head.db, raw]);
  return ok;
};

export const drop: Command = async ({ client, head: { db, collection } }) => {
  const [dropped] = only(await query(client, DROP, [db, collection]), DROP);
  if (!dropped) throw new CommandError(26, 'NamespaceNotFound', 'ns not found');
  return { ns: `${db}.${collection}`, ok: 1 };
};

export const dropDatabase: Command = async ({ client, head: { db } }) => {
  await query(client, DROP_DATABASE, [db]);
  return { dropped: db, ok: 1 };
};

export const renameCollection: Command = async ({ client, raw }) => {
  await query(client, RENAME, [raw]);
  return ok;
};

/** Built within the command, so that an index is in force when the answer arrives. */
export const createIndexes: Command = async ({ client, head, raw }) => {
  const [reply] = only(await query(client, CREATE_INDEXES, [head.db, raw]), CREATE_INDEXES);
  const decoded = decode(reply as Buffer);
  return succeeded(decoded.raw?.defaultShard ?? decoded);
};

export const dropIndexes: Command = async ({ client, head, raw }) => {
  const [reply] = only(await query(client, DROP_INDEXES, [head.db, raw]), DROP_INDEXES);
  return succeeded(decode(reply as Buffer));
};

export const collMod: Command = async ({ client, head, raw }) =>
  only(await query(client, COLL_MOD, [head.db, head.collection, raw]), COLL_MOD)[0] as Buffer;

export const collStats: Command = async ({ client, head }) =>
  only(await query(client, COLL_STATS, [head.db, head.collection]), COLL_STATS)[0] as Buffer;

export const dbStats: Command = async ({ client, head }) =>
  only(await query(client, DB_STATS, [head.db]), DB_STATS)[0] as Buffer;

export const listDatabases: Command = async ({ client, raw }) =>
  only(await query(client, LIST_DATABASES, [raw]), LIST_DATABASES)[0] as Buffer;
