import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Exit } from '@atelier/kafka';
import { root } from './checkout.js';
import type { App } from './stack.js';
import type { Running } from './supervised.js';

/** An app drains its requests, consumers and relay in this time, or is killed. */
const stopMsMax = 20_000;
/** Costs nothing unless the standard OTEL_* variables ask for traces. */
const tracing = '@atelier/observability/register';
/** kafkajs 2.2.4 asks for timers in the past; Node 24 warns at each of them. */
const quietKafkajs = '--disable-warning=TimeoutNegativeWarning';

/** Starts one built app in a process of its own; each line that it prints goes to `onLine`. */
export async function startApp(
  app: App,
  env: NodeJS.ProcessEnv,
  onLine: (line: string) => void,
): Promise<Running> {
  const main = path.join(root, 'apps', app.name, 'dist/main.js');
  if (!existsSync(main)) throw new Error(`${main} is missing: run \`npm run build\`.`);
  const tether = path.join(import.meta.dirname, 'die-with-parent.mjs');
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', quietKafkajs, '--import', tether, '--import', tracing, main],
    {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C in the terminal must reach only the stack, which stops its apps in order.
      detached: true,
    },
  );
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', onLine);
  }
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (error) => {
      onLine(error.message);
      resolve({ code: null, signal: null });
    });
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: child.pid ?? 0,
    exited,
    async stop() {
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(timer);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
