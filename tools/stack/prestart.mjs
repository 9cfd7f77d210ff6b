// All set-up before `npm start` and `npm test`. Plain Node 20 without dependencies, because nothing is
// installed yet. Idempotent; interrupted at any point, the next run continues.
// usage: node tools/stack/prestart.mjs [--no-build]
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultCacheDir } from '../documentdb/setup.mjs';
import { ensureKafka } from '../kafka/setup.mjs';
import { readJson, writeWhole } from './setup/atomic-file.mjs';
import { install, installIsCurrent, projectNode } from './setup/install.mjs';
import { chooseMongoDb } from './setup/mongodb.mjs';
import { showing } from './setup/progress.mjs';
import { ensureSecrets } from './setup/secrets.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const dataDir = path.join(root, '.data');
const nodeMajorMin = 20;
const buildMsMax = 120_000;

try {
  await setUp();
} catch (error) {
  console.error(`\n✗ ${error.message}`);
  process.exit(1);
}

async function setUp() {
  const major = Number.parseInt(process.versions.node, 10);
  if (major < nodeMajorMin) {
    throw new Error(
      `Node ${nodeMajorMin} or newer is needed, and this is ${process.versions.node}: install a newer one.`,
    );
  }
  if (!(await installIsCurrent(root))) {
    await showing('npm ci', (onProgress) => install(root, onProgress));
  }
  mkdirSync(dataDir, { recursive: true });
  const cacheDir = cacheFolder();
  const setupFile = path.join(dataDir, 'setup.json');
  const earlier = await readJson(setupFile);
  const kafkaHome = process.env.KAFKA_BROKERS
    ? earlier?.kafkaHome
    : await showing('Apache Kafka', (onProgress) => ensureKafka({ cacheDir, onProgress }));
  const mongodb = await showing('MongoDB', (onProgress) =>
    chooseMongoDb({ cacheDir, earlier: earlier?.mongodb, onProgress }),
  );
  await writeWhole(setupFile, `${JSON.stringify({ kafkaHome, mongodb }, null, 2)}\n`);
  await ensureSecrets(dataDir);
  if (!process.argv.includes('--no-build')) await showing('build', async () => buildAll());
}

/** A child, because the compiler must be loaded by the Node for which npm ci may just have fetched it. */
function buildAll() {
  const result = spawnSync(projectNode(root), [path.join(root, 'tools/stack/build.mjs')], {
    encoding: 'utf8',
    timeout: buildMsMax,
  });
  if (result.status !== 0)
    throw new Error(`The build failed:\n${(result.stderr || String(result.error)).trim()}`);
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
