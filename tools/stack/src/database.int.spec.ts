import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import mongoose from 'mongoose';
import { removeCluster } from '@atelier/documentdb';
import { readSetup, root } from './checkout.js';
import { startDatabase } from './database.js';
import { freePorts } from './ports.js';

const LATE_SECONDS = 2;

/** Of the program `mongod` the command line is what matters here; a machine that has one has it tried by `npm start`. */
describe('a mongod', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'atelier-mongod-'));
    chmodSync(folder, 0o711);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const started = async (script: string) => {
    const binary = path.join(folder, 'mongod');
    writeFileSync(binary, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const [port = 0] = await freePorts(1);
    const choice = { kind: 'mongod', binary } as const;
    return startDatabase({ choice, dataDir: path.join(folder, 'data'), port, fsync: false });
  };

  it('that listens late is waited for, serves, and ends when it is told to', async () => {
    const engine = readSetup().engine;
    const cache = engine?.kind === 'documentdb' ? `--cache '${engine.cacheDir}'` : '';
    const flags = `--data "$2/behind" --port "$4" --fsync off ${cache}`;
    const command = `${process.execPath} --import @atelier/stack/typescript tools/documentdb/src/main.ts ${flags}`;
    // `--dbpath D --port P …`: the embedded engine in its place.
    const database = await started(`sleep ${LATE_SECONDS}; cd ${root}; exec ${command}`);
    try {
      const client = new mongoose.mongo.MongoClient(database.uri);
      expect(await client.db('admin').command({ ping: 1 })).toMatchObject({ ok: 1 });
      await client.close();
    } finally {
      await database.stop();
      removeCluster(path.join(folder, 'data/mongod/behind'));
    }
    expect(await database.exited).toEqual({ code: 0, signal: null });
  });

  it('that ends at once says why', async () => {
    await expect(started('echo "no room on the disk"; exit 14')).rejects.toThrow(
      /mongod ended with code 14; see .*mongod\.log\nno room on the disk/,
    );
  });
});
