import { randomFillSync, createHash } from 'node:crypto';
import { z } from 'zod';

/**
 * Ids are `<prefix>_<26 characters>`: a UUIDv7 (RFC 9562) in lower-case Crockford base32. They sort by the
 * time they were made (R211 asks for unique, URL-safe, sortable ids made without coordination), and the prefix
 * tells a person, a log line and the compiler what the id is of.
 */
export type Id<Prefix extends string> = `${Prefix}_${string}`;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const RANDOM_BYTES = 10;
const POOL_BYTES = RANDOM_BYTES * 512;

const pool = Buffer.alloc(POOL_BYTES);
let poolOffset = POOL_BYTES;
let lastMs = 0;
let sequence = 0;

/** A new id of the given prefix, later than every id made before by this process. */
export function newId<Prefix extends string>(prefix: Prefix, now: number = Date.now()): Id<Prefix> {
  if (now > lastMs) {
    lastMs = now;
    sequence = 0;
  } else if (++sequence > 0xfff) {
    // 4096 ids in one millisecond: borrow from the next one, so that the order holds.
    lastMs += 1;
    sequence = 0;
  }
  if (poolOffset >= POOL_BYTES) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const bytes = Buffer.allocUnsafe(16);
  writeTime(bytes, lastMs, sequence);
  pool.copy(bytes, 8, poolOffset + 2, poolOffset + RANDOM_BYTES);
  poolOffset += RANDOM_BYTES;
  return `${prefix}_${encode(bytes)}`;
}

/**
 * The id that one cause always gives: same prefix, time and seed, same id. A request that is repeated with its
 * idempotency key finds what its first run made by this id, even when the first run died half-way.
 */
export function derivedId<Prefix extends string>(prefix: Prefix, seed: string, at: Date): Id<Prefix> {
  const digest = createHash('sha256').update(prefix).update('\0').update(seed).digest();
  const bytes = Buffer.allocUnsafe(16);
  writeTime(bytes, at.getTime(), digest.readUInt16BE(0) & 0xfff);
  digest.copy(bytes, 8, 2, 10);
  return `${prefix}_${encode(bytes)}`;
}

/** The schema of an id with this prefix, for contracts and documents. */
export function idSchema<Prefix extends string>(prefix: Prefix): z.ZodType<Id<Prefix>, Id<Prefix>> {
  return z.string().regex(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`), {
    error: `expected an id like ${prefix}_…`,
  }) as unknown as z.ZodType<Id<Prefix>, Id<Prefix>>;
}

function writeTime(bytes: Buffer, ms: number, low12: number): void {
  bytes.writeUIntBE(ms, 0, 6);
  bytes.writeUInt16BE(0x7000 | low12, 6);
}

function encode(bytes: Buffer): string {
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let text = '';
  let carry = 0;
  let bits = 2; // 128 bits in 26 × 5 = 130: two leading zero bits keep the order.
  for (const byte of bytes) {
    carry = (carry << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(carry >>> bits) & 31];
      carry &= (1 << bits) - 1;
    }
  }
  return text;
}
