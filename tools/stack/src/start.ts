import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import mongoose from 'mongoose';
import { dataFolder, root, sourceArgs } from './checkout.js';
import { isJson, logLine, paint, say, status } from './console.js';
import { refuseBusyPorts } from './infra.js';
import type { Infrastructure } from './infrastructure.js';
import { startStack, type Stack } from './launch.js';
import { takeLock } from './lock.js';
import { untilStopSignal } from './signals.js';
import { apps, selectApps } from './stack.js';
import { clearState, lockFile, writeState } from './state.js';

const storyMsMax = 180_000;
const queryMsMax = 5_000;
const loginsFile = path.join(dataFolder, 'dev-logins.json');

export interface StartOptions {
  only?: readonly string[];
  story: boolean;
}

/** `start`: everything, in the foreground, until Ctrl-C. */
export async function start(options: StartOptions): Promise<void> {
  const selected = selectApps(options.only);
  const release = takeLock(lockFile, 'start');
  const stopAsked = untilStopSignal();
  const givenUp = new AbortController();
  let stack: Stack | undefined;
  try {
    refuseBusyPorts(selected.map(({ port }) => port));
    let infrastructure: Infrastructure | undefined;
    let isEmpty = false;
    const begun = Date.now();
    status('starting Kafka and MongoDB');
    const starting = startStack({
      ports: 'own',
      dataDir: dataFolder,
      ...(options.only && { only: options.only }),
      say: (text) => say(paint(33, text)),
      onLog: (app, line) =>
        logLine(
          app,
          apps.findIndex(({ name }) => name === app),
          line,
        ),
      onPicture: (waiting) => status(picture(selected.length, waiting, begun)),
      signal: givenUp.signal,
      async onInfrastructure(ready) {
        infrastructure = ready;
        isEmpty = options.story && !options.only && (await hasNoUsers(ready.mongodbUri));
      },
    });
    const first = await Promise.race([starting, stopAsked]);
    if (typeof first === 'string') {
      // Stopped while it starts: what was started is stopped in order.
      givenUp.abort();
      status('');
      say('stopping');
      stack = await starting.catch(() => undefined);
      return;
    }
    stack = first;
    status('');
    if (infrastructure)
      writeState(infrastructure, stack.pids['gateway'] ? { gatewayUrl: stack.gatewayUrl } : {});
    say(screen(stack, options.only, Date.now() - begun));
    if (isEmpty) await Promise.race([playStory(stack), stopAsked]);
    await stopAsked;
    say('stopping: gateway, services, Kafka, MongoDB (again to end at once)');
  } finally {
    clearState();
    await stack?.stop();
    release();
  }
}

function picture(count: number, waiting: ReadonlyMap<string, string>, begun: number): string {
  const seconds = Math.round((Date.now() - begun) / 1000);
  const list = [...waiting].map(([name, reason]) => `${name} (${reason})`).join(', ');
  return `${count - waiting.size} of ${count} ready after ${seconds} s; waiting for ${list}`;
}

/** Users other than the development log-ins, which identity makes by itself. */
async function hasNoUsers(uri: string): Promise<boolean> {
  const client = new mongoose.mongo.MongoClient(uri, { serverSelectionTimeoutMS: queryMsMax });
  try {
    const emails = Object.values(readLogins()).map(({ email }) => email);
    const other = await client
      .db('identity')
      .collection('users')
      .findOne({ email: { $nin: emails } });
    return other === null;
  } finally {
    await client.close();
  }
}

/** Plays the story through the gateway; its failure is told and does not stop the stack. */
async function playStory(stack: Stack): Promise<void> {
  const main = path.join(root, 'tools/story/src/main.ts');
  if (!existsSync(main)) return;
  const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', ...sourceArgs, main], {
    cwd: root,
    // Where machines read, what the story prints for people has to become lines like all others.
    stdio: ['ignore', isJson ? 'pipe' : 'inherit', isJson ? 'pipe' : 'inherit'],
    timeout: storyMsMax,
    env: {
      ...process.env,
      GATEWAY_URL: stack.gatewayUrl,
      KAFKA_BROKERS: stack.kafkaBrokers,
      MONGODB_URI: stack.mongodbUri,
      DEV_LOGINS_FILE: loginsFile,
    },
  });
  for (const stream of [child.stdout, child.stderr])
    if (stream) createInterface({ input: stream }).on('line', (line) => logLine('story', 0, line));
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', resolve);
  });
  if (code !== 0) say(paint(31, 'The story did not reach its end; play it again with `npm run story`.'));
}

function readLogins(): Record<string, { email: string; password: string }> {
  return JSON.parse(readFileSync(loginsFile, 'utf8')) as Record<string, { email: string; password: string }>;
}

/** The one screen: where it is, how to get in, what to try. */
function screen(stack: Stack, only: readonly string[] | undefined, ms: number): string {
  const urls = selectApps(only).map(
    ({ name, purpose }) => `  ${name.padEnd(14)}${stack.urls[name]}  ${paint(2, purpose)}`,
  );
  const logins = Object.entries(readLogins()).map(
    ([role, { email, password }]) => `  ${role.padEnd(14)}${email}  ${password}`,
  );
  return [
    '',
    paint(32, `Atelier is ready after ${(ms / 1000).toFixed(1)} s.`),
    ...urls,
    ...(stack.pids['gateway'] ? [`  ${'docs'.padEnd(14)}${stack.gatewayUrl}/docs`] : []),
    `  ${'MongoDB'.padEnd(14)}${stack.mongodbUri.replace(/\/\/[^@/]*@/, '//…@')}`,
    `  ${'Kafka'.padEnd(14)}${stack.kafkaBrokers}`,
    '',
    'Development log-ins (.data/dev-logins.json)',
    ...logins,
    '',
    'To try: npm run story · npm run ledger -- verify · npm run dead -- list · npm run flow -- PurchaseCompleted',
    'Ctrl-C drains and stops everything in order.',
    '',
  ].join('\n');
}
