import { commandLine } from './command-line.js';
import { detach, stopRunning } from './detach.js';
import { infra } from './infra.js';
import { lockHolder, AlreadyRunningError } from './lock.js';
import { start } from './start.js';
import { lockFile, readState } from './state.js';
import { test } from './test.js';

const help = `usage: npm start -- [--only a,b] [--detach] [--no-story]   everything, until Ctrl-C
       npm run stop                                         what runs in this checkout
       npm run infra -- [--detach | stop]                   Kafka and MongoDB only
       npm test -- [--ring unit|contract|int|stress|system] [pattern ...]
Kafka and MongoDB of yours: KAFKA_BROKERS, MONGODB_URI. Logs for machines: LOG_FORMAT=json.`;

const [command = '', ...args] = process.argv.slice(2);
try {
  process.exit(await run());
} catch (error) {
  console.error(`\n✗ ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

async function run(): Promise<number> {
  const { values, positionals } = commandLine(help, {
    args,
    allowPositionals: true,
    allowNegative: true,
    options: {
      only: { type: 'string' },
      detach: { type: 'boolean', default: false },
      story: { type: 'boolean', default: true },
      ring: { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || command === '') {
    console.log(help);
    return 0;
  }
  if (command === 'stop' || (command === 'infra' && positionals[0] === 'stop')) {
    console.log(await stopRunning());
    return 0;
  }
  if (command === 'test') return test({ rings: values.ring, patterns: positionals });
  if (command !== 'start' && command !== 'infra') throw new Error(`There is no command ${command}.\n${help}`);
  if (positionals.length > 0)
    throw new Error(
      `\`${command}\` takes no ${positionals.join(', ')}; some services only: --only a,b.\n${help}`,
    );
  if (values.detach) {
    const holder = lockHolder(lockFile);
    if (holder) throw new AlreadyRunningError(holder);
    const logFile = await detach(
      command,
      args.filter((arg) => arg !== '--detach'),
    );
    const url = readState()?.gatewayUrl;
    console.log(`\`${command}\` runs in the background${url ? ` at ${url}` : ''}; its log is ${logFile}.`);
    return 0;
  }
  const only = values.only
    ?.split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  if (only?.length === 0) throw new Error(`--only names no app.\n${help}`);
  if (command === 'infra') await infra();
  else await start({ ...(only && { only }), story: values.story });
  return 0;
}
