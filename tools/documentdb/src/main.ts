import { parseArgs } from 'node:util';
import { refuseProduction } from './cluster.js';
import { startDocumentDb } from './instance.js';

const HELP = `Usage: main.ts --data DIR [options]

Runs the embedded document database until SIGTERM or SIGINT.

  --data DIR      folder of the data, created when missing
  --port N        port for MongoDB clients on 127.0.0.1 (default 27017)
  --pg-port N     port of PostgreSQL on 127.0.0.1 (default: a free one)
  --fsync on|off  off for throwaway data (default on)
  --cache DIR     cache of the unpacked engine (default: $XDG_CACHE_HOME/atelier or ~/.cache/atelier)
  --with-parent   stop when standard input closes
  --help          this text
`;

const defaultPort = '27017';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      port: { type: 'string', default: defaultPort },
      'pg-port': { type: 'string' },
      fsync: { type: 'string', default: 'on' },
      cache: { type: 'string' },
      'with-parent': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  refuseProduction();
  if (!values.data) throw new Error('--data DIR is missing: say where the data goes.');
  if (values.fsync !== 'on' && values.fsync !== 'off') throw new Error('--fsync is on or off.');

  let stopping = false;
  let stop = async () => {};
  const end = async (code: number) => {
    if (stopping) return;
    stopping = true;
    await stop();
    process.exit(code);
  };
  // Whoever asks twice does not want to wait; PostgreSQL ends with this process.
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => (stopping ? process.exit(1) : void end(0)));
  if (values['with-parent']) process.stdin.on('close', () => void end(0)).resume();

  const instance = await startDocumentDb({
    dataDir: values.data,
    port: portOf('--port', values.port),
    postgresPort: values['pg-port'] === undefined ? undefined : portOf('--pg-port', values['pg-port']),
    fsync: values.fsync === 'on',
    cacheDir: values.cache,
    onProgress: (text, fraction) =>
      process.stderr.write(`${text}${fraction === undefined ? '' : ` ${Math.round(fraction * 100)} %`}\n`),
  });
  stop = instance.stop;
  void instance.cluster.exited.then(() => {
    if (!stopping)
      process.stderr.write('PostgreSQL ended by itself; its log is postgres.log in the data folder.\n');
    return end(1);
  });
  process.stdout.write(`${JSON.stringify({ ready: true, uri: instance.uri })}\n`);
}

function portOf(option: string, text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Error(`${option} is a port number, not "${text}".`);
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
