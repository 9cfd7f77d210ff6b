// Decides whether `npm ci` is due, and runs it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readJson, writeWhole } from './atomic-file.mjs';

const stampFile = 'node_modules/.atelier-stamp';
const installMsMax = 15 * 60_000;
const outputCharsMax = 20_000;
const reasonCharsMax = 300;

/**
 * Whether node_modules holds what package-lock.json asks for. The stamp says so at once; without it (a
 * developer ran `npm install`) npm's own record of what it installed decides, and the stamp is written.
 */
export async function installIsCurrent(root) {
  const lockText = await readFile(path.join(root, 'package-lock.json'), 'utf8');
  const hash = createHash('sha256').update(lockText).digest('hex');
  const stamp = await readFile(path.join(root, stampFile), 'utf8').catch(() => '');
  if (stamp === hash) return true;
  const installed = await readJson(path.join(root, 'node_modules/.package-lock.json'));
  if (!installed?.packages || !agrees(JSON.parse(lockText).packages, installed.packages)) return false;
  await writeWhole(path.join(root, stampFile), hash);
  return true;
}

/** Every wanted package is there in the wanted version; packages for other platforms are optional. */
function agrees(wanted, installed) {
  return Object.entries(wanted).every(([name, entry]) => {
    if (!name.startsWith('node_modules/') && !name.includes('/node_modules/')) return true;
    const found = installed[name];
    if (!found) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/**
 * Runs `npm ci` and stamps the result. Interrupted, it leaves no stamp, and the next run starts again. What npm
 * fetches is kept in `cacheDir` where the user's own cache cannot be written.
 */
export async function install(root, cacheDir, onProgress) {
  // Both marks go first: `npm ci` deletes files in any order, and half a tree must not look whole.
  await rm(path.join(root, stampFile), { force: true });
  await rm(path.join(root, 'node_modules/.package-lock.json'), { force: true });
  const args = ['ci', '--no-audit', '--no-fund', '--ignore-scripts'];
  const { code, output } = await runNpm(root, args, npmCache(cacheDir), onProgress);
  if (code !== 0) {
    const reason = reasonIn(output);
    throw new Error(`\`npm ci\` failed: ${reason} (if that is the network, mend it or .npmrc and run again)`);
  }
  const lockText = await readFile(path.join(root, 'package-lock.json'), 'utf8');
  await writeWhole(path.join(root, stampFile), createHash('sha256').update(lockText).digest('hex'));
}

/** The first line of npm's errors that is a sentence; before it stand the code, the call and the path alone. */
export function reasonIn(output) {
  const sentence = /^npm (?:error|ERR!)\s+(?!(?:code|syscall|path|dest|errno|cwd) )(.+)/m;
  return sentence.exec(output)?.[1] ?? output.trim().slice(-reasonCharsMax);
}

/** npm's own cache, or one in `cacheDir` where that cannot be written: a read-only home, or files of root. */
export function npmCache(cacheDir) {
  const own = process.env.npm_config_cache ?? path.join(os.homedir(), '.npm');
  return canWrite(path.join(own, '_cacache')) ? own : path.join(cacheDir, 'npm');
}

function canWrite(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The PATH without the checkout's own programs: while npm ci replaces node_modules, the Node that lies in
 * it is gone.
 */
export function hostPath(root) {
  const own = path.join(root, 'node_modules');
  const folders = (process.env.PATH ?? '').split(':');
  return folders.filter((folder) => !folder.startsWith(own) && !folder.includes('node-gyp-bin')).join(':');
}

/** The Node that everything after the set-up runs on: the one of node_modules where there is one. */
export function projectNode(root) {
  const own = path.join(root, 'node_modules/.bin/node');
  return existsSync(own) ? own : process.execPath;
}

function runNpm(root, args, npm_config_cache, onProgress) {
  return new Promise((resolve) => {
    const child = spawn('npm', args, {
      cwd: root,
      env: { ...process.env, PATH: hostPath(root), npm_config_cache, npm_config_loglevel: 'http' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: installMsMax,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let fetched = 0;
    const read = (chunk) => {
      const text = String(chunk);
      output = (output + text).slice(-outputCharsMax);
      fetched += text.match(/npm http fetch/g)?.length ?? 0;
      onProgress(fetched > 0 ? `${fetched} packages fetched` : 'installing');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
