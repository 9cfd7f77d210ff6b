import { join } from 'node:path';
import { styleText } from 'node:util';
import { dataFolder } from '@atelier/stack/checkout';
import { commandLine } from '@atelier/stack/command-line';
import { readState } from '@atelier/stack/state';
import { printExchange, printFact, printStep } from './print.js';
import { playStory } from './story.js';

const HELP = `npm run story -- [--gateway URL] [--kafka HOST:PORT]

Plays the first story through the gateway of the running stack and prints each request, its answer, and the
facts that appear on the topics, all of one trace. Nothing is mocked: it is what two people and a moderator
would do. NO_COLOR turns colours off.`;

const { values } = commandLine(HELP, {
  options: { gateway: { type: 'string' }, kafka: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const state = readState();
const gatewayUrl = values.gateway ?? process.env['GATEWAY_URL'] ?? state?.gatewayUrl;
const kafkaBrokers = values.kafka ?? process.env['KAFKA_BROKERS'] ?? state?.kafkaBrokers;
if (!gatewayUrl || !kafkaBrokers) {
  console.error(
    'No stack is running here. Start one with `npm start`, or name one with --gateway and --kafka.',
  );
  process.exit(1);
}

let number = 0;
try {
  const end = await playStory({
    gatewayUrl,
    kafkaBrokers,
    devLoginsFile: process.env['DEV_LOGINS_FILE'] ?? join(dataFolder, 'dev-logins.json'),
    onStep: (title) => printStep(++number, title),
    onExchange: printExchange,
    onFact: printFact,
  });
  console.log(
    `\n${styleText('green', 'The story is told.')} The seller has ${end.seller.available} credits, the buyer ${end.buyer.available}; ` +
      `${end.facts.length} facts carry trace ${end.traceId}.`,
  );
} catch (error) {
  console.error(
    styleText('red', `\nThe story stopped: ${error instanceof Error ? error.message : String(error)}`),
  );
  process.exitCode = 1;
}
