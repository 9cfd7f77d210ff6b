import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataFolder } from './checkout.js';
import { lockHolder } from './lock.js';
import { lockFile, readState } from './state.js';

const pollMs = 200;
const logTailLines = 25;
/** Above the sum of every wait inside, so that the inner, better explained time-out speaks first. */
const detachMsMax = 300_000;
const stopMsMax = 120_000;

/**
 * Runs the same command in the background and answers when it serves. What it prints goes to a log file.
 * @throws Error with the log's end when it ended instead.
 */
export async function detach(command: string, args: readonly string[]): Promise<string> {
  const logFile = path.join(dataFolder, `${command}.log`);
  const log = openSync(logFile, 'w', 0o600);
  const main = path.join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, [...process.execArgv, main, command, ...args], {
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const { pid } = child;
  let hasEnded = false;
  child.once('error', () => (hasEnded = true));
  child.once('exit', () => (hasEnded = true));
  const until = Date.now() + detachMsMax;
  while (!hasEnded && Date.now() < until) {
    if (readState()?.pid === pid) {
      child.unref();
      return logFile;
    }
    await sleep(pollMs);
  }
  const tail = readFileSync(logFile, 'utf8').trim().split('\n').slice(-logTailLines).join('\n');
  throw new Error(
    // It has its mark already.
    hasEnded
      ? tail.replace(/^✗ /m, '')
      : `\`${command}\` is not ready after ${detachMsMax / 1000} s; see ${logFile}`,
  );
}

/** Stops what runs in this checkout, in order, and says what it was. */
export async function stopRunning(): Promise<string> {
  const holder = lockHolder(lockFile);
  if (!holder) return 'Nothing runs here.';
  process.kill(holder.pid, 'SIGTERM');
  const until = Date.now() + stopMsMax;
  while (lockHolder(lockFile)?.pid === holder.pid) {
    if (Date.now() > until) throw new Error(`Process ${holder.pid} still runs after ${stopMsMax / 1000} s.`);
    await sleep(pollMs);
  }
  return `Stopped (\`${holder.command}\`, process ${holder.pid}).`;
}
