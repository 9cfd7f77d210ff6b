import { CommandError } from '../errors.js';
import { query, statement, type Statement } from '../postgres.js';
import { only, type Command } from './command.js';

const firstPage = (name: string) =>
  statement(
    name,
    `SELECT cursorpage::bytea, continuation::bytea, cursorid
     FROM documentdb_api.${name}_cursor_first_page($1, $2::bytea)`,
  );

const GET_MORE = statement(
  'get_more',
  'SELECT cursorpage::bytea, continuation::bytea FROM documentdb_api.cursor_get_more($1, $2::bytea, $3::bytea)',
);

/** A command whose answer is the first page of a cursor. */
function cursorCommand(page: Statement): Command {
  return async ({ client, head, raw, transaction, services }) => {
    const [reply, continuation, id] = only(await query(client, page, [head.db, raw]), page);
    if (continuation) services.cursors.add(BigInt(id as string), continuation as Buffer, transaction);
    return reply as Buffer;
  };
}

export const find = cursorCommand(firstPage('find'));
export const aggregate = cursorCommand(firstPage('aggregate'));
export const listIndexes = cursorCommand(firstPage('list_indexes'));
export const listCollections = cursorCommand(firstPage('list_collections'));

/** The next page. A cursor that fails is closed. */
export const getMore: Command = async ({ client, head, raw, transaction, services }) => {
  const id = head.cursorId;
  if (id === undefined) throw new CommandError(14, 'TypeMismatch', 'getMore needs the id of a cursor');
  const cursor = services.cursors.get(id, transaction);
  try {
    const rows = await query(client, GET_MORE, [head.db, raw, cursor.continuation]);
    const [reply, continuation] = only(rows, GET_MORE);
    if (continuation) cursor.continuation = continuation as Buffer;
    else services.cursors.finish(id);
    return reply as Buffer;
  } catch (error) {
    services.cursors.finish(id);
    throw error;
  }
};

/** A command whose answer is one document. */
function singleResult(sql: Statement): Command {
  return async ({ client, head, raw }) => only(await query(client, sql, [head.db, raw]), sql)[0] as Buffer;
}

export const count = singleResult(
  statement('count', 'SELECT document::bytea FROM documentdb_api.count_query($1, $2::bytea)'),
);
export const distinct = singleResult(
  statement('distinct', 'SELECT document::bytea FROM documentdb_api.distinct_query($1, $2::bytea)'),
);
export const validate = singleResult(
  statement('validate', 'SELECT document::bytea FROM documentdb_api.validate($1, $2::bytea)'),
);
