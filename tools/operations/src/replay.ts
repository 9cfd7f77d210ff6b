import { readSecrets } from '@atelier/stack/checkout';
import { urlsOf } from '@atelier/stack/stack';
import { replay } from './replay-command.js';
import { OperatorError } from './running.js';

try {
  process.exitCode = await replay(process.argv.slice(2), {
    env: process.env,
    urls: () => urlsOf(),
    actorSecret: () => readSecrets().actorSecret,
    print: (text) => console.log(text),
  });
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
