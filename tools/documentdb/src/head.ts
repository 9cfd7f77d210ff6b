import { Long, type Binary } from 'bson';

/** What the adapter must know of a command; the rest of its BSON is passed on unread. */
export interface Head {
  /** Name of the first element, which is the command. */
  name: string;
  /** Value of the first element when it is a string: the collection. */
  collection: string;
  db: string;
  /** Hex of the session's uuid. */
  session?: string;
  txnNumber?: number;
  /** True when the command belongs to a transaction (`autocommit: false`). */
  inTransaction: boolean;
  startsTransaction: boolean;
  /** True when the command itself carries more than one document, update or delete. */
  inlineBatch: boolean;
  /** The client's time limit, in milliseconds. */
  maxTimeMs?: number;
  /** The cursor that `getMore` continues. */
  cursorId?: bigint;
}

/** A value below the top level was reached by a length that leaves the message. */
export class MalformedBsonError extends Error {}

const BYTES: Readonly<Record<number, number>> = {
  0x01: 8,
  0x06: 0,
  0x07: 12,
  0x08: 1,
  0x09: 8,
  0x0a: 0,
  0x10: 4,
  0x11: 8,
  0x12: 8,
  0x13: 16,
  0x7f: 0,
  0xff: 0,
};

/** Bytes of the value at `at`, by its BSON type. */
function valueBytes(bytes: Buffer, type: number, at: number): number {
  const fixed = BYTES[type];
  if (fixed !== undefined) return fixed;
  switch (type) {
    case 0x02:
    case 0x0d:
    case 0x0e:
      return 4 + bytes.readInt32LE(at);
    case 0x03:
    case 0x04:
    case 0x0f:
      return bytes.readInt32LE(at);
    case 0x05:
      return 5 + bytes.readInt32LE(at);
    case 0x0b:
      return bytes.indexOf(0, bytes.indexOf(0, at) + 1) + 1 - at;
    case 0x0c:
      return 16 + bytes.readInt32LE(at);
    default:
      throw new MalformedBsonError(`unknown BSON type 0x${type.toString(16)}`);
  }
}

/** Calls `visit` for each element of the document at `start`, without decoding values. */
export function eachElement(
  bytes: Buffer,
  start: number,
  visit: (name: string, type: number, at: number, size: number) => void,
): void {
  const end = start + bytes.readInt32LE(start) - 1;
  if (end >= bytes.length || end < start + 4) throw new MalformedBsonError('document length out of range');
  for (let at = start + 4; at < end;) {
    const type = bytes[at] as number;
    const nameEnd = bytes.indexOf(0, at + 1);
    if (nameEnd < 0 || nameEnd >= end) throw new MalformedBsonError('unterminated element name');
    const value = nameEnd + 1;
    const size = valueBytes(bytes, type, value);
    if (size < 0 || value + size > end) throw new MalformedBsonError('element length out of range');
    visit(bytes.toString('utf8', at + 1, nameEnd), type, value, size);
    at = value + size;
  }
}

/** Reads the head of a command; throws MalformedBsonError when the bytes are no document. */
export function readHead(raw: Buffer): Head {
  const head: Head = {
    name: '',
    collection: '',
    db: '',
    inTransaction: false,
    startsTransaction: false,
    inlineBatch: false,
  };
  eachElement(raw, 0, (name, type, at, size) => {
    if (head.name === '') {
      head.name = name;
      if (type === 0x02) head.collection = text(raw, at, size);
      else if (name === 'getMore' && type === 0x12) head.cursorId = raw.readBigInt64LE(at);
      return;
    }
    switch (name) {
      case '$db':
        head.db = text(raw, at, size);
        break;
      case 'lsid':
        head.session = sessionId(raw, at);
        break;
      case 'txnNumber':
        head.txnNumber = wholeNumber(raw, type, at);
        break;
      case 'autocommit':
        head.inTransaction = raw[at] === 0;
        break;
      case 'startTransaction':
        head.startsTransaction = raw[at] === 1;
        break;
      case 'documents':
      case 'updates':
      case 'deletes':
        // An array is a document whose first name is "0": its first value begins behind length, type and name.
        head.inlineBatch = type === 0x04 && size > 5 && holdsSeveral(raw.subarray(at + 7, at + size - 1));
        break;
      case 'maxTimeMS':
        head.maxTimeMs = wholeNumber(raw, type, at);
        break;
    }
  });
  return head;
}

/** True when `bytes` go on behind their first document. */
export const holdsSeveral = (bytes: Buffer) => bytes.length >= 4 && bytes.readInt32LE(0) < bytes.length;

const text = (raw: Buffer, at: number, size: number) => raw.toString('utf8', at + 4, at + size - 1);

function wholeNumber(raw: Buffer, type: number, at: number): number {
  if (type === 0x12) return Number(raw.readBigInt64LE(at));
  if (type === 0x10) return raw.readInt32LE(at);
  return type === 0x01 ? raw.readDoubleLE(at) : 0;
}

function sessionId(raw: Buffer, start: number): string | undefined {
  let id: string | undefined;
  eachElement(raw, start, (name, type, at, size) => {
    if (name === 'id' && type === 0x05) id = raw.toString('hex', at + 5, at + size);
  });
  return id;
}

/** Hex of a decoded session id, as `readHead` gives it. */
export const sessionKey = (id: Binary) => Buffer.from(id.buffer).toString('hex', 0, id.position);

/** A cursor id as the driver sends it in an array: a Long, or a number when it is small. */
export const cursorKey = (id: unknown) => (Long.isLong(id) ? id.toBigInt() : BigInt(Number(id)));
