import type { Document } from 'bson';

/** Labels of the driver specifications that tell a client what it may repeat. */
export type ErrorLabel =
  'TransientTransactionError' | 'UnknownTransactionCommitResult' | 'RetryableWriteError';

/** An answer `ok: 0` with MongoDB's number and name for what went wrong. */
export class CommandError extends Error {
  constructor(
    readonly code: number,
    readonly codeName: string,
    message: string,
    readonly labels: readonly ErrorLabel[] = [],
    /** Fields that go beside the code, e.g. `keyPattern`. */
    readonly details: Document = {},
  ) {
    super(message);
  }

  withLabel(...labels: ErrorLabel[]): CommandError {
    const all = [...new Set([...this.labels, ...labels])];
    return new CommandError(this.code, this.codeName, this.message, all, this.details);
  }

  toReply(): Document {
    const { code, codeName, message: errmsg } = this;
    const labels = this.labels.length > 0 ? { errorLabels: [...this.labels] } : {};
    return { ok: 0, errmsg, code, codeName, ...this.details, ...labels };
  }
}

export const WRITE_CONFLICT = 112;
export const DUPLICATE_KEY = 11000;
/** Retryable, and unlike the codes of a shutdown no reason for a driver to wait for the next hello of a monitor. */
export const UNREACHABLE = 6;

/** DocumentDB's own SQLSTATEs: an ordinal of its list of errors. */
const STATES = parse(`
  M0001 2 BadValue
  M0002 5 GraphContainsCycle
  M0003 9 FailedToParse
  M0004 14 TypeMismatch
  M0005 15 Overflow
  M0006 20 IllegalOperation
  M0008 26 NamespaceNotFound
  M0009 27 IndexNotFound
  M000A 28 PathNotViable
  M000B 31 RoleNotFound
  M000D 40 ConflictingUpdateOperators
  M000E 43 CursorNotFound
  M000F 48 NamespaceExists
  M000G 52 DollarPrefixedFieldName
  M000H 53 CanNotBeTypeArray
  M000I 54 NotSingleValueField
  M000J 56 EmptyFieldName
  M000L 61 ShardKeyNotFound
  M000M 66 ImmutableField
  M000N 67 CannotCreateIndex
  M000P 72 InvalidOptions
  M000Q 73 InvalidNamespace
  M000R 85 IndexOptionsConflict
  M000S 86 IndexKeySpecsConflict
  M000U 115 CommandNotSupported
  M00CO 121 DocumentFailedValidation
  M0012 197 InvalidIndexSpecificationOption
  M0015 241 ConversionFailure
  M0016 263 OperationNotSupportedInTransaction
  M001B 10334 BsonObjectTooLarge
  M001C 11000 DuplicateKey
  M0020 16410 Location16410
  M0023 16554 DollarAddNumericOrDateTypes
  M003V 28667 RangeArgumentExpressionArgsOutOfRange
  M007U 40324 UnrecognizedCommand
  M0087 40414 Location40414
  M0088 40415 UnknownBsonField
  M0099 51024 Location51024
  M009C 51075 Location51075
  M009H 51091 Location51091
  M009N 51108 Location51108
  23505 11000 DuplicateKey
  23P01 11000 DuplicateKey
  40001 112 WriteConflict
  40P01 112 WriteConflict
  55P03 112 WriteConflict
  57014 50 MaxTimeMSExpired
  42P01 26 NamespaceNotFound
  0A000 115 CommandNotSupported
  25P02 251 NoSuchTransaction
  25P03 251 NoSuchTransaction
  54000 10334 BsonObjectTooLarge
`);

function parse(table: string): ReadonlyMap<string, [number, string]> {
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(' ') as [string, string, string]);
  return new Map(rows.map(([state, code, name]) => [state, [Number(code), name]]));
}

/** Class 08, and 57P01 to 57P05: the server is going, gone or not yet there. */
const LOST_CONNECTION = /^(08|57P|E[A-Z]+$)/;
const LOST_CONNECTION_MESSAGE =
  /^(Connection terminated|Client has encountered|Client was closed|Cannot use a pool)/;
const POOL_TIMEOUT_MESSAGE = /^(timeout exceeded when trying to connect|timeout expired)/;

/** Bits that one character of a SQLSTATE takes in a packed code, and the character of zero. */
const packedBits = 6;
const packedZero = 48;

/** A reply's `code` may be a packed SQLSTATE; codes of MongoDB are smaller than any of those. */
function unpackState(packed: number): string {
  let state = '';
  for (let shift = 0; shift < 5 * packedBits; shift += packedBits) {
    state += String.fromCharCode(((packed >>> shift) & 0x3f) + packedZero);
  }
  return state;
}

/** MongoDB's code and name for a code inside a reply of the extension. */
export function codeOf(code: number): [number, string] {
  const state = unpackState(code);
  return STATES.get(state) ?? (state.startsWith('M0') ? [8, 'UnknownError'] : [code, '']);
}

/** MongoDB's error for whatever a statement threw. */
export function toCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const state = (error as { code?: unknown } | null)?.code;
  if (isLostConnection(error))
    return new CommandError(UNREACHABLE, 'HostUnreachable', `the database is not reachable: ${message}`);
  if (POOL_TIMEOUT_MESSAGE.test(message))
    return new CommandError(24, 'LockTimeout', 'no free connection in time');
  if (isCatalogRace(error)) return new CommandError(WRITE_CONFLICT, 'WriteConflict', message);
  const [code, name] = (typeof state === 'string' && STATES.get(state)) || [8, 'UnknownError'];
  return new CommandError(code, name, message);
}

/** True when the connection to the server broke, so that the outcome of a statement is unknown. */
export function isLostConnection(error: unknown): boolean {
  const state = (error as { code?: unknown } | null)?.code;
  if (typeof state === 'string' && LOST_CONNECTION.test(state)) return true;
  return error instanceof Error && LOST_CONNECTION_MESSAGE.test(error.message);
}

/** True for a failure of a catalogue: two clients created one collection, or repeated one write, at once. */
function isCatalogRace(error: unknown): boolean {
  const { code, schema, table } = (error ?? {}) as { code?: string; schema?: string; table?: string };
  if (code === '42P07') return true;
  return code === '23505' && (schema !== 'documentdb_data' || !table?.startsWith('documents_'));
}
