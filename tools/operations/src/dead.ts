import { Logger } from '@nestjs/common';
import { KafkaBus } from '@atelier/messaging';
import { dead } from './dead-command.js';
import { OperatorError, runningBrokers } from './running.js';
import { isColoured, painter } from './table.js';

const WIDTH_DEFAULT = 160;
const SESSION_TIMEOUT_MS = 10_000;

// The bus would tell of its connections; here its errors are the answer.
Logger.overrideLogger(false);
try {
  process.exitCode = await dead(process.argv.slice(2), openBus, {
    print: (text) => console.log(text),
    paint: painter(isColoured()),
    width: process.stdout.columns || WIDTH_DEFAULT,
  });
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function openBus(): Promise<KafkaBus> {
  return new KafkaBus({
    brokers: await runningBrokers(),
    clientId: 'operations',
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    replicationFactor: 1,
  });
}
