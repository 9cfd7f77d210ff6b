import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import mongoose from 'mongoose';
import { newId } from '@atelier/kernel';
import { infrastructure } from '@atelier/testing';
import { FolderObjectStore } from './folder-object-store.js';
import { GridFsObjectStore } from './gridfs-object-store.js';
import { ObjectMissing, type ObjectStore } from './object-store.js';

interface Opened {
  readonly store: ObjectStore;
  close(): Promise<void>;
}

const folder = async (): Promise<Opened> => {
  const root = await mkdtemp(join(tmpdir(), 'objects-'));
  return { store: new FolderObjectStore(root), close: () => rm(root, { recursive: true }) };
};

const gridFs = async (): Promise<Opened> => {
  const dbName = `studio_${newId('t').slice(-18)}`;
  const connection = await mongoose.createConnection(infrastructure().mongodbUri, { dbName }).asPromise();
  return {
    store: new GridFsObjectStore(connection),
    close: async () => {
      await connection.dropDatabase();
      await connection.close();
    },
  };
};

describe.each([
  ['the local folder', folder],
  ['GridFS', gridFs],
])('the object store in %s', (_, open) => {
  let opened: Opened;
  let store: ObjectStore;
  beforeAll(async () => {
    opened = await open();
    store = opened.store;
  });
  afterAll(() => opened.close());
  const read = async (key: string) => buffer(await store.open(key));

  it('gives back every byte, also of an object of several chunks', async () => {
    const bytes = Buffer.alloc(1_500_000, 'atelier');
    await store.put('originals/large.png', bytes);
    expect((await read('originals/large.png')).equals(bytes)).toBe(true);
  });

  it('keeps an empty object', async () => {
    await store.put('originals/empty.png', Buffer.alloc(0));
    expect(await read('originals/empty.png')).toHaveLength(0);
  });

  it('replaces an object as a whole', async () => {
    await store.put('a/one.png', Buffer.from('first and longer'));
    await store.put('a/one.png', Buffer.from('second'));
    expect(String(await read('a/one.png'))).toBe('second');
  });

  it('leaves one whole object when several replace it at once', async () => {
    const writes = Array.from({ length: 8 }, (_, i) => Buffer.alloc(300_000, String(i)));
    await Promise.all(writes.map((bytes) => store.put('a/raced.png', bytes)));
    const left = await read('a/raced.png');
    expect(writes.some((bytes) => bytes.equals(left))).toBe(true);
  });

  it('says when there is no such object, before it answers a stream', async () => {
    await expect(store.open('a/none.png')).rejects.toThrow(ObjectMissing);
  });

  it('removes an object, and one that is not there without an error', async () => {
    await store.put('a/gone.png', Buffer.from('x'));
    await store.remove('a/gone.png');
    await store.remove('a/gone.png');
    await expect(read('a/gone.png')).rejects.toThrow(ObjectMissing);
  });

  it.each([
    '../secret',
    '/etc/passwd',
    'a/../../b',
    'a//b',
    '.hidden',
    'a/.hidden',
    'A.png',
    'a\\b',
    '',
    'a\0b',
    'x'.repeat(300),
  ])('refuses the key %j', async (key) => {
    await expect(store.put(key, Buffer.from('x'))).rejects.toThrow('object key');
    await expect(store.open(key)).rejects.toThrow('object key');
    await expect(store.remove(key)).rejects.toThrow('object key');
  });
});

describe('the local folder', () => {
  it('leaves no partial file behind', async () => {
    const root = await mkdtemp(join(tmpdir(), 'objects-'));
    await new FolderObjectStore(root).put('a/one.png', Buffer.from('x'));
    expect(await readdir(join(root, '.partial'))).toEqual([]);
    await rm(root, { recursive: true });
  });
});
