import { BSON, type Document } from 'bson';
import { readHead, type Head } from './head.js';

/** Largest document, message and batch that `hello` announces. */
export const documentBytesMax = 16_777_216;
export const messageBytesMax = 48_000_000;
export const writeBatchMax = 25_000;

/** Room in a message for the framing around a full payload. */
const framingBytes = 65_536;
const headerBytes = 16;

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 1 << 16;
const REQUIRED_FLAGS = 0xffff;

/** Numbers stay exact (Long when they do not fit), and binary values keep their subtype. */
const reading = { promoteLongs: true, promoteBuffers: false } as const;

/** A message that breaks the protocol; the connection that sent it is closed. */
export class ProtocolError extends Error {}

/** One request of a client. */
export interface Request {
  id: number;
  head: Head;
  /** The command document as it came. */
  raw: Buffer;
  /** The documents of a sequence section, one after the other. */
  sequence: Buffer | null;
  /** The name of that section, e.g. `documents`. */
  sequenceName?: string;
  /** The client waits for no answer. */
  silent: boolean;
  /** The client accepts further answers without asking (streaming hello). */
  exhaustAllowed: boolean;
  /** Came as OP_QUERY, which old drivers use for the first hello. */
  legacy: boolean;
}

/** A reply: BSON bytes of the engine, or a document of ours. */
export type Reply = Buffer | Document;

/** The length that a message announces; throws ProtocolError when it is outside the limits. */
export function messageLength(bytes: Buffer): number {
  const length = bytes.readInt32LE(0);
  if (length < headerBytes + 5 || length > messageBytesMax + framingBytes) {
    throw new ProtocolError(`a message of ${length} bytes`);
  }
  return length;
}

/** Reads one whole message. */
export function readRequest(bytes: Buffer): Request {
  const operation = bytes.readInt32LE(12);
  if (operation === OP_MSG) return readMessage(bytes);
  if (operation === OP_QUERY) return readQuery(bytes);
  throw new ProtocolError(`operation ${operation} is not supported`);
}

function readMessage(bytes: Buffer): Request {
  const flags = bytes.readUInt32LE(headerBytes);
  if (flags & REQUIRED_FLAGS & ~(CHECKSUM_PRESENT | MORE_TO_COME)) throw new ProtocolError(`flags ${flags}`);
  const end = bytes.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  let raw: Buffer | undefined;
  let sequence: Buffer | null = null;
  let sequenceName: string | undefined;
  for (let at = headerBytes + 4; at < end;) {
    const kind = bytes[at] as number;
    const size = bytes.readInt32LE(at + 1);
    const stop = at + 1 + size;
    if (size < 5 || stop > end) throw new ProtocolError('a section that leaves its message');
    if (kind === 0 && !raw) {
      raw = bytes.subarray(at + 1, stop);
    } else if (kind === 1 && !sequence) {
      const nameEnd = bytes.indexOf(0, at + 5);
      if (nameEnd < 0 || nameEnd >= stop) throw new ProtocolError('a section without a name');
      sequenceName = bytes.toString('utf8', at + 5, nameEnd);
      sequence = bytes.subarray(nameEnd + 1, stop);
    } else {
      throw new ProtocolError(`a section of kind ${kind}`);
    }
    at = stop;
  }
  if (!raw) throw new ProtocolError('a message without a command');
  return {
    id: bytes.readInt32LE(4),
    head: readHead(raw),
    raw,
    sequence,
    sequenceName,
    silent: (flags & MORE_TO_COME) !== 0,
    exhaustAllowed: (flags & EXHAUST_ALLOWED) !== 0,
    legacy: false,
  };
}

function readQuery(bytes: Buffer): Request {
  const namespaceEnd = bytes.indexOf(0, headerBytes + 4);
  if (namespaceEnd < 0) throw new ProtocolError('a query without a namespace');
  const raw = bytes.subarray(namespaceEnd + 9);
  const head = readHead(raw);
  head.db = bytes.toString('utf8', headerBytes + 4, namespaceEnd).replace(/\.\$cmd$/, '');
  return {
    id: bytes.readInt32LE(4),
    head,
    raw,
    sequence: null,
    silent: false,
    exhaustAllowed: false,
    legacy: true,
  };
}

/** Decodes a whole command; only for the rare commands whose parameters the adapter itself acts on. */
export const decode = (raw: Buffer): Document => BSON.deserialize(raw, reading);

/** Encodes a reply of ours. */
export function encode(reply: Reply): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  const { buffer, byteOffset, byteLength } = BSON.serialize(reply, { ignoreUndefined: true });
  return Buffer.from(buffer, byteOffset, byteLength);
}

let lastId = 0;

/** Frames a reply. With `moreToCome` the client expects another reply to this one. */
export function frameReply(reply: Reply, to: Pick<Request, 'id' | 'legacy'>, moreToCome = false): Buffer {
  const body = encode(reply);
  const bodyAt = to.legacy ? 36 : 21;
  const bytes = Buffer.allocUnsafe(bodyAt + body.length);
  lastId = (lastId + 1) & 0x7fffffff;
  bytes.writeInt32LE(bytes.length, 0);
  bytes.writeInt32LE(lastId, 4);
  bytes.writeInt32LE(to.id, 8);
  if (to.legacy) {
    bytes.writeInt32LE(OP_REPLY, 12);
    bytes.fill(0, headerBytes, bodyAt);
    bytes.writeInt32LE(1, 32);
  } else {
    bytes.writeInt32LE(OP_MSG, 12);
    bytes.writeUInt32LE(moreToCome ? MORE_TO_COME : 0, headerBytes);
    bytes[20] = 0;
  }
  body.copy(bytes, bodyAt);
  return bytes;
}
