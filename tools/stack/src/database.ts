import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import mongoose from 'mongoose';
import { removeCluster } from '@atelier/documentdb';
import { startReady, type Exit, type ReadyProcess } from '@atelier/kafka';
import { root, sourceArgs, type Setup } from './checkout.js';

const documentDbReadyMsMax = 60_000;
const mongodReadyMsMax = 60_000;
const askMsMax = 1_000;
const stopMsMax = 20_000;
const pollMs = 100;
const dropMsMax = 5_000;
/** Processes of an interrupted run may still write their last file: eleven seconds in all, as each pause is longer. */
const removeRetriesMax = 10;
const removePauseMs = 200;
const logTailChars = 1_500;
/** Ends mongod when this process is gone; without it a mongod outlives a stack that was killed. */
const setpriv = '/usr/bin/setpriv';

export interface DatabaseOptions {
  choice: NonNullable<Setup['engine']>;
  dataDir: string;
  port: number;
  /** Off only for throwaway test data: a power cut may then lose acknowledged writes. */
  fsync: boolean;
}

export type Database = Omit<ReadyProcess, 'ready'> & { readonly uri: string };

/** Starts the MongoDB that prestart chose, on 127.0.0.1, as a replica set of one. */
export async function startDatabase(options: DatabaseOptions): Promise<Database> {
  // PostgreSQL refuses root and then runs as nobody, who must be able to pass through here.
  await mkdir(options.dataDir, { recursive: true, mode: 0o711 });
  return options.choice.kind === 'mongod'
    ? startMongod(options, options.choice.binary)
    : startDocumentDb(options, options.choice.cacheDir);
}

/** Where DocumentDB is asked to keep its cluster. */
const clusterIn = (dataDir: string): string => path.join(dataDir, 'documentdb');

/** Deletes a throwaway folder of a stack, with the database that root's server may keep elsewhere. */
export function removeData(folder: string): void {
  removeCluster(clusterIn(databaseFolder(folder)));
  rmSync(folder, { recursive: true, force: true, maxRetries: removeRetriesMax, retryDelay: removePauseMs });
}

/** Drops the databases that a stack had on a MongoDB which is not its own. */
export async function dropDatabases(uri: string, names: readonly string[]): Promise<void> {
  const client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: dropMsMax });
  try {
    for (const name of names) await client.db(name).dropDatabase();
  } finally {
    await client.close();
  }
}

/** The database's place in the data folder of a stack. */
export const databaseFolder = (folder: string): string => path.join(folder, 'mongodb');

async function startDocumentDb(options: DatabaseOptions, cacheDir: string): Promise<Database> {
  const { dataDir, port, fsync } = options;
  const main = path.join(root, 'tools/documentdb/src/main.ts');
  const flags = ['--data', clusterIn(dataDir), '--port', String(port), '--cache', cacheDir];
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
  await mkdir(dbPath, { recursive: true, mode: 0o700 });
  const logFile = path.join(dataDir, 'mongod.log');
  const log = openSync(logFile, 'w', 0o600);
  const args = ['--dbpath', dbPath, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', 'rs0'];
  // setpriv execs: the process id stays mongod's.
  const tether = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'TERM'] : [];
  const [command = binary, ...rest] = [...tether, binary, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const exited = new Promise<Exit>((resolve) => {
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
    const tail = readFileSync(logFile, 'utf8').slice(-logTailChars).trim();
    throw new Error(`${error instanceof Error ? error.message : String(error)}; see ${logFile}\n${tail}`);
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
async function initiateReplicaSet(port: number, exited: Promise<Exit>): Promise<void> {
  let end: Exit | undefined;
  void exited.then((exit) => (end = exit));
  const config = { _id: 'rs0', members: [{ _id: 0, host: `127.0.0.1:${port}` }] };
  for (const until = Date.now() + mongodReadyMsMax; Date.now() < until && !end;) {
    const hello = await askAdmin(port, { hello: 1 });
    if (hello?.['isWritablePrimary'] === true) return;
    if (hello && !hello['setName']) await askAdmin(port, { replSetInitiate: config });
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(
    end
      ? `mongod ended with ${end.signal ?? `code ${end.code}`}`
      : `mongod did not become a primary within ${mongodReadyMsMax / 1000} s`,
  );
}

/** Undefined when there is no answer. By a client of its own: one that found nobody at first finds nobody ever. */
async function askAdmin(port: number, command: object): Promise<Record<string, unknown> | undefined> {
  const client = new mongoose.mongo.MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: askMsMax,
  });
  try {
    return await client.db('admin').command(command);
  } catch {
    return undefined;
  } finally {
    await client.close();
  }
}
