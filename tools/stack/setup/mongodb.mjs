// Decides once which engine is the MongoDB, unless MONGODB_URI names one: a mongod, a downloaded one, or DocumentDB.
import { spawn, spawnSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDocumentDb } from '../../documentdb/setup.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const downloadHost = 'fastdl.mongodb.org';
const mongodbVersion = '8.0.15';
/** No byte for this long means that there is no way out to the internet: the next source takes over. */
const stallMsMax = 5_000;
const versionMsMax = 10_000;
const downloadMsMax = 600_000;
const pollMs = 250;

/**
 * @typedef {{ kind: 'mongod', binary: string } | { kind: 'documentdb', cacheDir: string }} Engine
 * @param {{ cacheDir: string, earlier?: Engine, onProgress?: (text: string, fraction?: number) => void }} options
 * `earlier` is the choice of the last set-up; it stays while it works, because the data lies in that engine.
 * @returns {Promise<Engine>}
 * @throws {Error} one message that says what to do
 */
export async function chooseEngine({ cacheDir, earlier, onProgress = () => {} }) {
  if (earlier?.kind === 'mongod' && runs(earlier.binary)) return earlier;
  if (earlier?.kind !== 'documentdb') {
    const onPath = findMongod();
    if (onPath) return { kind: 'mongod', binary: onPath };
    const downloaded = await downloadMongod(cacheDir, onProgress);
    if (downloaded && runs(downloaded)) return { kind: 'mongod', binary: downloaded };
  }
  try {
    await ensureDocumentDb({ cacheDir, onProgress });
    return { kind: 'documentdb', cacheDir };
  } catch (error) {
    throw new Error(
      'No MongoDB can be had: set MONGODB_URI to a replica set of yours, or install mongod, or run' +
        ' `node docker/setup.mjs && docker compose up -d mongo` and set' +
        ' MONGODB_URI=mongodb://127.0.0.1:27017/?directConnection=true, or use a Debian with apt.' +
        ` DocumentDB said: ${error.message}`,
    );
  }
}

function findMongod() {
  const folders = (process.env.PATH ?? '').split(':').filter(Boolean);
  return folders.map((folder) => path.join(folder, 'mongod')).find(runs);
}

/** Whether this machine can run it: a library or a CPU feature may be missing. */
const runs = (binary) => spawnSync(binary, ['--version'], { timeout: versionMsMax }).status === 0;

/** Downloads by mongodb-memory-server in a child, so that a connection that hangs can be given up. */
async function downloadMongod(cacheDir, onProgress) {
  if (!(await isReachable())) return undefined;
  const downloadDir = path.join(cacheDir, 'mongodb');
  await mkdir(downloadDir, { recursive: true });
  const script =
    `import('mongodb-memory-server-core').then(async ({ MongoBinary }) => {` +
    `console.log(await MongoBinary.getPath({ version: ${JSON.stringify(mongodbVersion)},` +
    ` downloadDir: ${JSON.stringify(downloadDir)} })) }).catch(() => process.exit(1))`;
  onProgress('trying to download mongod');
  const child = spawn(process.execPath, ['-e', script], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
  let answer = '';
  child.stdout.on('data', (chunk) => (answer += chunk));
  let done = false;
  const ended = new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', resolve);
  }).finally(() => (done = true));

  const since = Date.now();
  let bytes = 0;
  let lastByteAt = since;
  while (!done) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, pollMs))]);
    const now = await bytesIn(downloadDir);
    if (now !== bytes) {
      lastByteAt = Date.now();
      onProgress(`downloading mongod: ${Math.round(now / 1e6)} MB`);
    }
    bytes = now;
    if (Date.now() - lastByteAt > stallMsMax || Date.now() - since > downloadMsMax) child.kill('SIGKILL');
  }
  const binary = answer.trim().split('\n').at(-1);
  return (await ended) === 0 && binary && existsSync(binary) ? binary : undefined;
}

/** The downloader tries for seven seconds even where the name is unknown. A proxy resolves names by itself. */
async function isReachable() {
  const { HTTPS_PROXY, https_proxy, MONGOMS_DOWNLOAD_MIRROR } = process.env;
  if (HTTPS_PROXY || https_proxy || MONGOMS_DOWNLOAD_MIRROR) return true;
  const late = new Promise((resolve) => setTimeout(resolve, stallMsMax, false).unref());
  return Promise.race([
    late,
    lookup(downloadHost).then(
      () => true,
      () => false,
    ),
  ]);
}

async function bytesIn(folder) {
  let sum = 0;
  for (const name of await readdir(folder)) {
    sum += (await stat(path.join(folder, name)).catch(() => undefined))?.size ?? 0;
  }
  return sum;
}
