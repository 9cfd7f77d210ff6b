import type { Readable } from 'node:stream';

/** `originals/img_….png`: lower case, digits, `_`, `-`, `.` and `/`; no part begins with a dot. */
const KEY = /^(?:[a-z0-9_-][a-z0-9_.-]*\/)*[a-z0-9_-][a-z0-9_.-]*$/;
const KEY_CHARS_MAX = 200;

/** There is no object with this key. */
export class ObjectMissing extends Error {
  constructor(key: string) {
    super(`there is no object ${key}`);
    this.name = 'ObjectMissing';
  }
}

/**
 * Where pictures are kept, by key; documents hold the key, the hash and the size. A put is all or nothing and
 * replaces what was there, so that the repeat of an interrupted upload is harmless. Every implementation passes
 * `object-store.contract.spec.ts`.
 */
export abstract class ObjectStore {
  /** Stores the bytes under the key. When it resolves, they survive the process. */
  async put(key: string, bytes: Buffer): Promise<void> {
    await this.write(checked(key), bytes);
  }

  /** A stream of the object's bytes. Throws ObjectMissing. The caller reads it to the end or destroys it. */
  async open(key: string): Promise<Readable> {
    return this.openStream(checked(key));
  }

  /** Removes the object; one that is not there is no error. */
  async remove(key: string): Promise<void> {
    await this.delete(checked(key));
  }

  protected abstract write(key: string, bytes: Buffer): Promise<void>;
  protected abstract openStream(key: string): Promise<Readable>;
  protected abstract delete(key: string): Promise<void>;
}

function checked(key: string): string {
  if (key.length > KEY_CHARS_MAX || !KEY.test(key))
    throw new Error('an object key has a character or length that is refused');
  return key;
}
