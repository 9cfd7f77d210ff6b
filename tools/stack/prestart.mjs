// All set-up before `npm start` and `npm test`. Plain Node 20 without dependencies, because nothing is
// installed yet. Idempotent; interrupted at any point, the next run continues.
// usage: node tools/stack/prestart.mjs [--no-build]
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { lockHolder, takeLock } from '../documentdb/lock.mjs';
import { defaultCacheDir } from '../documentdb/setup.mjs';
import { ensureKafka, javaVersion } from '../kafka/setup.mjs';
import { readJson, writeWhole } from './setup/atomic-file.mjs';
import { install, installIsCurrent, projectNode } from './setup/install.mjs';
import { chooseEngine } from './setup/mongodb.mjs';
import { showing } from './setup/progress.mjs';
import { ensureSecrets } from './setup/secrets.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const dataDir = path.join(root, '.data');
const nodeMajorMin = 20;
const buildMsMax = 120_000;
/** Above the sum of every step's own limit, so that the one who waits is not the first to give up. */
const turnMsMax = 60 * 60_000;
const turnPollMs = 200;
const errorCharsMax = 4_000;

class SetUpRunsError extends Error {}

try {
  const release = await showing('set-up', takeTurn);
  try {
    await setUp();
  } finally {
    release();
  }
} catch (error) {
  console.error(`\n✗ ${error.message}`);
  process.exit(1);
}

/** One set-up at a time: two would run npm ci, or build, over each other. */
async function takeTurn(onProgress) {
  const refusal = ({ pid }) => new SetUpRunsError(`another one runs here as process ${pid}`);
  for (const until = Date.now() + turnMsMax; ; await sleep(turnPollMs)) {
    try {
      return takeLock(path.join(dataDir, 'setup.lock'), 'set-up', refusal);
    } catch (error) {
      if (!(error instanceof SetUpRunsError) || Date.now() > until) throw error;
      onProgress(`waiting, ${error.message}`);
    }
  }
}

async function setUp() {
  const major = Number.parseInt(process.versions.node, 10);
  if (major < nodeMajorMin) {
    throw new Error(
      `Node ${nodeMajorMin} or newer is needed, and this is ${process.versions.node}: install a newer one.`,
    );
  }
  const needsKafka = !process.env.KAFKA_BROKERS;
  const cacheDir = cacheFolder();
  if (!(await installIsCurrent(root))) {
    refuseToReplacePackagesInUse();
    // Before the minutes that npm ci takes, not after them.
    if (needsKafka) javaVersion();
    await showing('npm ci', (onProgress) => install(root, cacheDir, onProgress));
  }
  const setupFile = path.join(dataDir, 'setup.json');
  // What this run does not need stays known: the data folder is of that engine.
  let { kafkaHome, engine } = (await readJson(setupFile)) ?? {};
  if (needsKafka) {
    kafkaHome = await showing('Apache Kafka', (onProgress) => ensureKafka({ cacheDir, onProgress }));
  }
  if (!process.env.MONGODB_URI) {
    engine = await showing('MongoDB', (onProgress) =>
      chooseEngine({ cacheDir, earlier: engine, onProgress }),
    );
  }
  await writeWhole(setupFile, `${JSON.stringify({ kafkaHome, engine }, null, 2)}\n`);
  await ensureSecrets(dataDir);
  if (!process.argv.includes('--no-build')) await showing('build', buildAll);
}

function refuseToReplacePackagesInUse() {
  const holder = lockHolder(path.join(dataDir, 'stack.lock'));
  if (!holder) return;
  throw new Error(
    'package-lock.json asks for other packages than those installed, and `npm ci` would replace what' +
      ` \`${holder.command}\` (process ${holder.pid}) runs on: stop it with \`npm run stop\`, then try again.`,
  );
}

/** A child, because the compiler must be loaded by the Node for which npm ci may just have fetched it. */
async function buildAll() {
  const child = spawn(projectNode(root), [path.join(root, 'tools/stack/build.mjs')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: buildMsMax,
    killSignal: 'SIGKILL',
  });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-errorCharsMax)));
  const code = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (status, signal) => resolve(status ?? signal));
  });
  if (code !== 0) throw new Error(`The build failed (${code}):\n${errors.trim()}`);
}

/** Shared by all checkouts of a user. Where it cannot be written, the checkout has its own. */
function cacheFolder() {
  const folder = defaultCacheDir();
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return path.join(dataDir, 'cache');
  }
}
