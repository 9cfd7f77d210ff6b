import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import mongoose from 'mongoose';
import { startReady, type ReadyProcess } from '@atelier/kafka';
import { root, sourceArgs, type Setup } from './checkout.js';

const documentDbReadyMsMax = 60_000;
const mongodReadyMsMax = 60_000;
const stopMsMax = 20_000;
const pollMs = 100;

export interface DatabaseOptions {
  choice: Exclude<Setup['mongodb'], { kind: 'uri' }>;
  dataDir: string;
  port: number;
  /** Off only for throwaway test data: a power cut may then lose acknowledged writes. */
  fsync: boolean;
}

export type Database = Omit<ReadyProcess, 'ready'> & { readonly uri: string };

/** Starts the MongoDB that prestart chose, on 127.0.0.1, as a replica set of one. */
export async function startDatabase(options: DatabaseOptions): Promise<Database> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  return options.choice.kind === 'mongod'
    ? startMongod(options, options.choice.binary)
    : startDocumentDb(options, options.choice.cacheDir);
}

async function startDocumentDb(options: DatabaseOptions, cacheDir: string): Promise<Database> {
  const { dataDir, port, fsync } = options;
  const main = path.join(root, 'tools/documentdb/src/main.ts');
  const flags = ['--data', path.join(dataDir, 'documentdb'), '--port', String(port), '--cache', cacheDir];
  const process = await startReady({
    name: 'DocumentDB',
    command: globalThis.process.execPath,
    args: [...sourceArgs, main, ...flags, '--with-parent', ...(fsync ? [] : ['--fsync', 'off'])],
    cwd: root,
    env: globalThis.process.env,
    logFile: path.join(dataDir, 'documentdb.log'),
    readyMsMax: documentDbReadyMsMax,
    stopMsMax,
  });
  return { ...process, uri: String(process.ready['uri']) };
}

async function startMongod(options: DatabaseOptions, binary: string): Promise<Database> {
  const { dataDir, port } = options;
  const dbPath = path.join(dataDir, 'mongod');
  await mkdir(dbPath, { recursive: true });
  const log = openSync(path.join(dataDir, 'mongod.log'), 'w', 0o600);
  const args = ['--dbpath', dbPath, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', 'rs0'];
  const child = spawn(binary, args, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  try {
    await initiateReplicaSet(port, exited);
  } catch (error) {
    await kill();
    throw error;
  }
  return {
    pid: child.pid ?? 0,
    uri: `mongodb://127.0.0.1:${port}/?replicaSet=rs0`,
    exited,
    kill,
    async stop() {
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Transactions need a replica set; one of one member is enough. Done again at each start, it is a no-op. */
async function initiateReplicaSet(port: number, exited: Promise<unknown>): Promise<void> {
  let hasEnded = false;
  void exited.then(() => (hasEnded = true));
  const until = Date.now() + mongodReadyMsMax;
  const client = new mongoose.mongo.MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 1_000,
  });
  const admin = client.db('admin');
  try {
    while (Date.now() < until && !hasEnded) {
      const hello = await admin.command({ hello: 1 }).catch(() => undefined);
      if (hello?.['isWritablePrimary'] === true) return;
      if (hello && !hello['setName']) {
        const config = { _id: 'rs0', members: [{ _id: 0, host: `127.0.0.1:${port}` }] };
        await admin.command({ replSetInitiate: config }).catch(() => undefined);
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    throw new Error(
      `mongod did not become a primary within ${mongodReadyMsMax / 1000} s; see its log in .data`,
    );
  } finally {
    await client.close();
  }
}
