import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { ObjectMissing, ObjectStore } from './object-store.js';

const PARTIAL_FOLDER = '.partial';

/** Objects as files below one folder: the default, and enough for one machine or a shared volume. */
export class FolderObjectStore extends ObjectStore {
  private readonly root: string;

  constructor(folder: string) {
    super();
    this.root = resolve(folder);
  }

  /** Written beside, flushed and renamed: a crash leaves the old object or the new one, never half of one. */
  protected async write(key: string, bytes: Buffer): Promise<void> {
    const target = this.pathOf(key);
    const partial = join(this.root, PARTIAL_FOLDER, randomUUID());
    await mkdir(dirname(partial), { recursive: true });
    await mkdir(dirname(target), { recursive: true });
    try {
      const file = await open(partial, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  }

  protected async openStream(key: string): Promise<Readable> {
    try {
      // Opened before it is answered, so that a missing object is an error here and not in the stream.
      return (await open(this.pathOf(key), 'r')).createReadStream();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new ObjectMissing(key);
      throw error;
    }
  }

  protected async delete(key: string): Promise<void> {
    await rm(this.pathOf(key), { force: true });
  }

  private pathOf(key: string): string {
    return join(this.root, key);
  }
}
