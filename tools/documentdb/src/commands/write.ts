import { explainDuplicate } from '../duplicate-key.js';
import { codeOf, CommandError, DUPLICATE_KEY, WRITE_CONFLICT } from '../errors.js';
import { holdsSeveral, type Head } from '../head.js';
import { query, statement } from '../postgres.js';
import { decode } from '../wire.js';
import { only, type Command } from './command.js';

const batch = (name: string) =>
  statement(
    name,
    `SELECT p_result::bytea, p_success FROM documentdb_api.${name}($1, $2::bytea, $3::bytea, $4)`,
  );

const BATCH_ONCE = statement('batch_once', 'SELECT result, done FROM atelier.batch_once($1, $2, $3, $4, $5)');

const FORGET_BATCH = statement('forget_batch', 'DELETE FROM atelier.batches WHERE key = $1');

const FIND_AND_MODIFY = statement(
  'find_and_modify',
  'SELECT p_result::bytea, p_success FROM documentdb_api.find_and_modify($1, $2::bytea, $3)',
);

/** What the extension keeps with a retryable write, so that a repetition changes nothing and answers the same. */
const retryKey = ({ session, txnNumber, inTransaction }: Head) =>
  !inTransaction && session !== undefined && txnNumber !== undefined ? `${session}:${txnNumber}` : null;

interface WriteError {
  code: number;
  errmsg: string;
}

/** insert, update, delete: success passes the engine's bytes on; write errors get MongoDB's codes. */
function batchWrite(name: string): Command {
  const sql = batch(name);
  return async (context) => {
    const { client, head, raw, sequence, transaction, services } = context;
    if (transaction) transaction.wrote = true;
    const key = retryKey(head);
    const several = key !== null && (sequence ? holdsSeveral(sequence) : head.inlineBatch);
    const rows = several
      ? await query(client, BATCH_ONCE, [name, head.db, raw, sequence, key])
      : await query(client, sql, [head.db, raw, sequence, key]);
    const [reply, success] = only(rows, sql);
    if (success) return reply as Buffer;
    const decoded = decode(reply as Buffer);
    const errors: WriteError[] = decoded.writeErrors ?? [];
    for (const error of errors) [error.code] = codeOf(error.code);
    const [first] = errors;
    // A lone conflict outside a transaction is repeated by the dispatcher; in one it ends the transaction.
    if (first?.code === WRITE_CONFLICT && (transaction || (errors.length === 1 && decoded.n === 0))) {
      // Nothing was written, and the repetition must not be answered with this.
      if (several) await query(client, FORGET_BATCH, [key]);
      throw new CommandError(WRITE_CONFLICT, 'WriteConflict', first.errmsg);
    }
    // A failed transaction cannot read any more; taking a second connection outside of one could wait for ever.
    const reader = transaction ? services.postgres.general : client;
    for (const error of errors) {
      if (error.code !== DUPLICATE_KEY) continue;
      Object.assign(error, await explainDuplicate(reader, head, error.errmsg));
    }
    // MongoDB aborts a transaction whose statement had a write error, and still answers with that error.
    if (transaction && errors.length > 0) await services.transactions.abort(transaction);
    return decoded;
  };
}

export const insert = batchWrite('insert');
export const update = batchWrite('update');
export const remove = batchWrite('delete');

export const findAndModify: Command = async ({ client, head, raw, transaction }) => {
  if (transaction) transaction.wrote = true;
  const rows = await query(client, FIND_AND_MODIFY, [head.db, raw, retryKey(head)]);
  return only(rows, FIND_AND_MODIFY)[0] as Buffer;
};
