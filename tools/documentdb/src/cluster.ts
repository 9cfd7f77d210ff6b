import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { takeLock } from '../lock.mjs';
import { everybodyCanReach, isRoot, serverAccount } from '../setup.mjs';

const initMs = 60_000;
const startMs = 60_000;
const stopMs = 20_000;
const pollMs = 40;
const startAttemptsMax = 20;
const logTailBytes = 4_000;
const logBytesMax = 16_000_000;

/** Where root keeps cluster files when `nobody` cannot enter the folder that was asked for. */
const ROOT_STATE = '/var/lib/atelier';

/** Connections the server allows: both pools of the adapter, maintenance, and room for psql. */
export const connectionsMax = 60;

/** What a cluster is started with. */
export interface ClusterOptions {
  /** Folder of the unpacked programs, from `ensureDocumentDb`. */
  bin: string;
  /** Folder for the cluster; created when missing. */
  dataDir: string;
  /** TCP port on 127.0.0.1; a free one when absent. */
  port?: number;
  /** False makes a throwaway cluster faster and lets a crash of the machine lose it. Default true. */
  fsync?: boolean;
}

/** A running PostgreSQL with the DocumentDB extension. */
export interface Cluster {
  port: number;
  /** The folder really used; differs from the one asked for when root's server could not reach that. */
  dataDir: string;
  /** True when the earlier run of this folder ended without a shutdown and its log was replayed. */
  recovered: boolean;
  /** Ends sessions, writes a checkpoint and waits for the end of the process. */
  stop(): Promise<void>;
  /** SIGKILL to every process of the cluster: the crash that tests need. */
  kill(): Promise<void>;
  /** Resolves when the server process has ended, for whatever reason. */
  exited: Promise<void>;
}

/** Refuses the one environment this engine is not for. */
export function refuseProduction(env: NodeJS.ProcessEnv = process.env): void {
  if (env.NODE_ENV === 'production') {
    throw new Error(
      'The embedded document database does not start with NODE_ENV=production: it has no authentication, no encryption and one node, so set MONGODB_URI.',
    );
  }
}

/** The folder that holds the cluster: `asked`, or for root one below /var/lib/atelier that `nobody` reaches. */
export function clusterFolder(asked: string): string {
  const wanted = path.resolve(asked);
  if (!isRoot() || everybodyCanReach(path.dirname(wanted))) return wanted;
  return path.join(ROOT_STATE, `${path.basename(wanted)}-${nameIn(wanted)}`);
}

/** Random, and kept in the folder that was asked for: who deletes that starts anew, as everywhere else. */
function nameIn(folder: string): string {
  const file = path.join(folder, 'id');
  const known = readIfThere(file);
  if (known) return known;
  const made = randomBytes(8).toString('hex');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(file, made);
  return made;
}

/** Deletes the cluster of a folder that was asked for, wherever it really is. */
export function removeCluster(asked: string): void {
  if (!fs.existsSync(asked)) return;
  fs.rmSync(clusterFolder(asked), { recursive: true, force: true, maxRetries: 3 });
  fs.rmSync(asked, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * Starts the cluster, creating it on first use.
 * Fails when another live process owns the folder, or when the server does not answer within a minute.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  refuseProduction();
  const dataDir = clusterFolder(options.dataDir);
  const account = isRoot() ? serverAccount() : undefined;
  fs.mkdirSync(dataDir, { recursive: true, mode: 0o755 });
  if (account) {
    fs.chmodSync(dataDir, 0o755);
    fs.chownSync(dataDir, account.uid, account.gid);
  }
  // One owner per folder: two of them would stop each other's server.
  const disclaim = takeLock(path.join(dataDir, 'owner.lock'), 'documentdb', ({ pid }) => {
    return new Error(`Process ${pid} already runs the document database in ${dataDir}: stop it first.`);
  });
  try {
    return await startClaimed(options, dataDir, disclaim, account);
  } catch (error) {
    disclaim();
    throw error;
  }
}

async function startClaimed(
  options: ClusterOptions,
  dataDir: string,
  disclaim: () => void,
  account?: Account,
): Promise<Cluster> {
  const cluster = path.join(dataDir, 'pg');
  await stopOrphan(cluster);
  if (!fs.existsSync(cluster)) await initialize(options.bin, dataDir, cluster, account);
  const recovered = fs.existsSync(path.join(cluster, 'postmaster.pid'));
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const server = launch(options.bin, cluster, port, options.fsync ?? true, account);
    const failure = await answer(server, port, path.join(dataDir, 'postgres.log'));
    if (!failure) {
      await prepareDatabase(port);
      return { port, dataDir, recovered, exited: server.exited, ...endings(server, disclaim) };
    }
    // Backends of a killed server may hold its shared memory for a moment; a chosen port may have been taken.
    const passing = /shared memory block|lock file "postmaster.pid"|Address already in use/.test(failure);
    if (!passing || attempt === startAttemptsMax)
      throw new Error(`PostgreSQL did not start: ${failure.trim()}`);
    await sleep(pollMs * attempt);
  }
}

interface Account {
  uid: number;
  gid: number;
}

interface Server {
  child: ChildProcess;
  exited: Promise<void>;
}

/** Ends a server whose owner died without stopping it. */
async function stopOrphan(cluster: string): Promise<void> {
  const pid = Number(readIfThere(path.join(cluster, 'postmaster.pid')).split('\n')[0]);
  if (!pid || !isAlive(pid) || !commandLine(pid).includes(cluster)) return;
  process.kill(pid, 'SIGINT');
  for (let waited = 0; isAlive(pid); waited += pollMs) {
    if (waited > stopMs)
      throw new Error(`The earlier PostgreSQL (process ${pid}) does not stop: end it by hand.`);
    await sleep(pollMs);
  }
}

/** Creates the cluster under another name first, so that an interrupted run leaves nothing that looks whole. */
async function initialize(bin: string, dataDir: string, cluster: string, account?: Account): Promise<void> {
  const partial = `${cluster}.partial`;
  fs.rmSync(partial, { recursive: true, force: true });
  const args = [
    '-D',
    partial,
    '-U',
    'postgres',
    '--auth=trust',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ];
  const child = spawn(path.join(bin, 'initdb'), args, {
    ...account,
    env: serverEnvironment(),
    cwd: dataDir,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: initMs,
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-logTailBytes)));
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0)
    throw new Error(`initdb failed in ${dataDir}: ${errors.trim() || `no end after ${initMs} ms`}`);
  fs.renameSync(partial, cluster);
}

/** The server inherits nothing of ours: locale, credentials and loader settings would change what it does. */
const serverEnvironment = () => ({ PATH: '/usr/bin:/bin', TZ: 'UTC' });

function settings(port: number, fsync: boolean): Record<string, string> {
  const common = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    shared_preload_libraries: 'pg_cron,pg_documentdb_core,pg_documentdb,pg_documentdb_extended_rum',
    'cron.database_name': 'postgres',
    'cron.use_background_workers': 'on',
    'cron.log_run': 'off',
    'cron.log_statement': 'off',
    'cron.max_running_jobs': '1',
    'documentdb_core.enableCollation': 'on',
    'documentdb.enableBackgroundWorker': 'off',
    // The other kind of index cannot be read in its order: the newest line of a user sorted all that user's lines.
    'documentdb.alternate_index_handler_name': 'extended_rum',
    // As MongoDB does: a filter that fits an index goes by it, also when the collection is a page and was counted.
    enable_seqscan: 'off',
    // A cursor over a sorted result lives in a file instead of holding a connection until it is read to its end.
    'documentdb.useFileBasedPersistedCursors': 'on',
    // Inserts of one key at the same time wait for each other: a unique index is an exclusion constraint here. Of
    // those in a circle one is sent away after this long, and PostgreSQL's own second is a second each time.
    deadlock_timeout: '20ms',
    max_connections: String(connectionsMax),
    shared_buffers: '64MB',
    jit: 'off',
    io_method: 'sync',
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_logical_replication_workers: '0',
    min_wal_size: '32MB',
    max_wal_size: '256MB',
    autovacuum_max_workers: '1',
    autovacuum_naptime: '30s',
    max_worker_processes: '6',
    max_parallel_workers_per_gather: '0',
    log_checkpoints: 'off',
    // A duplicate key is an answer here, not an incident; what the server could not do is.
    log_min_messages: 'warning',
    log_min_error_statement: 'panic',
  };
  return fsync ? common : { ...common, fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };
}

function launch(bin: string, cluster: string, port: number, fsync: boolean, account?: Account): Server {
  const log = path.join(path.dirname(cluster), 'postgres.log');
  const size = fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  const output = fs.openSync(log, size > logBytesMax ? 'w' : 'a');
  const args = Object.entries(settings(port, fsync)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // With the parent-death signal the server does not outlive a killed owner. setpriv execs, so the pid stays.
  const command = ['--pdeathsig', 'INT', path.join(bin, 'postgres'), '-D', cluster, ...args];
  const child = spawn('/usr/bin/setpriv', command, {
    ...account,
    env: serverEnvironment(),
    cwd: path.dirname(cluster),
    stdio: ['ignore', output, output],
    // Its own process group: Ctrl-C reaches the owner only, which then stops things in order.
    detached: true,
  });
  fs.closeSync(output);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return { child, exited };
}

/** Waits until the server answers; returns undefined, or the end of its log when it ended instead. */
async function answer(server: Server, port: number, log: string): Promise<string | undefined> {
  let ended = false;
  void server.exited.then(() => (ended = true));
  const started = fs.statSync(log).size;
  for (let waited = 0; waited < startMs; waited += pollMs) {
    if (ended)
      return readIfThere(log).slice(started).slice(-logTailBytes) || 'the process ended without a word';
    const client = new pg.Client(connection(port));
    try {
      await client.connect();
      await client.end();
      return undefined;
    } catch {
      await sleep(pollMs);
    }
  }
  server.child.kill('SIGQUIT');
  return `no answer after ${startMs} ms`;
}

/** How to reach the cluster; trust authentication is safe because it listens on 127.0.0.1 only. */
export const connection = (port: number) => ({
  host: '127.0.0.1',
  port,
  user: 'postgres',
  database: 'postgres',
});

/**
 * The extension repeats a single retryable write by its key, but not a batch of several: this does, by keeping
 * the batch's reply in the same transaction. Two at once: the later one fails on the key and is run again.
 */
const BATCH_ONCE = `
  CREATE OR REPLACE FUNCTION atelier.batch_once(command text, db text, spec bytea, documents bytea, asked text)
  RETURNS TABLE (result bytea, done boolean) LANGUAGE plpgsql AS $body$
  BEGIN
    SELECT b.reply, b.success INTO result, done FROM atelier.batches b WHERE b.key = asked;
    IF NOT FOUND THEN
      EXECUTE format('SELECT p_result::bytea, p_success FROM documentdb_api.%I($1, $2::bytea, $3::bytea, NULL)', command)
        INTO result, done USING db, spec, documents;
      INSERT INTO atelier.batches (key, reply, success) VALUES (asked, result, done);
    END IF;
    RETURN NEXT;
  END $body$;`;

/** The extension, our own tables, and no jobs of the extension: the adapter does their work. */
async function prepareDatabase(port: number): Promise<void> {
  const client = new pg.Client(connection(port));
  await client.connect();
  try {
    await client.query(`
      SET client_min_messages = error;
      CREATE EXTENSION IF NOT EXISTS documentdb CASCADE;
      CREATE EXTENSION IF NOT EXISTS documentdb_extended_rum;
      ALTER EXTENSION documentdb UPDATE;
      SELECT cron.unschedule(jobid) FROM cron.job;
      CREATE SCHEMA IF NOT EXISTS atelier;
      CREATE TABLE IF NOT EXISTS atelier.commits (key text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
      CREATE TABLE IF NOT EXISTS atelier.batches
        (key text PRIMARY KEY, reply bytea NOT NULL, success boolean NOT NULL, at timestamptz NOT NULL DEFAULT now());
      ${BATCH_ONCE}
    `);
  } finally {
    await client.end();
  }
}

function endings(server: Server, disclaim: () => void): Pick<Cluster, 'stop' | 'kill'> {
  const pid = server.child.pid as number;
  return {
    async stop() {
      server.child.kill('SIGINT');
      const late = setTimeout(() => server.child.kill('SIGQUIT'), stopMs);
      await server.exited;
      clearTimeout(late);
      disclaim();
    },
    async kill() {
      const children = readIfThere(`/proc/${pid}/task/${pid}/children`).trim().split(/\s+/).map(Number);
      server.child.kill('SIGKILL');
      for (const child of children) if (child && isAlive(child)) process.kill(child, 'SIGKILL');
      await server.exited;
      disclaim();
    },
  };
}

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const commandLine = (pid: number) => readIfThere(`/proc/${pid}/cmdline`);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
