import { commandLine } from '@atelier/stack/command-line';
import { readState } from '@atelier/stack/state';
import { playHttpFile } from './http-command.js';
import { OperatorError } from './running.js';

const help = `usage: npm run http -- <file.http> [...]   sends its requests in order to what \`npm start\` runs here
A request goes well when it answers the status of its \`# @expect 201 field=value\`; without one, any success will do.
A GET is asked again for a while, since services hear of each other soon and not at once. Exit code 1 at a mismatch.
  {{name.response.body.id}}         from an earlier answer, \`# @name name\`
  {{$processEnv ADMIN_PASSWORD}}    ADMIN_ and MODERATOR_ with EMAIL and PASSWORD: the log-ins of this checkout
  {{$processEnv SERVICE_ACTOR}}     a signed actor header: SERVICE_ACTOR, SECOND_ADMIN_ACTOR; for what the gateway hides
  {{$processEnv HOLD_ID}}           a new id
  < ./picture.png                   a line of a multipart body: the file, from the folder of the .http file`;

const { values, positionals } = commandLine(help, {
  allowPositionals: true,
  options: { help: { type: 'boolean' } },
});
try {
  if (values.help || positionals.length === 0) {
    console.log(help);
    process.exitCode = values.help ? 0 : 1;
  } else {
    if (!readState()?.gatewayUrl) throw new OperatorError('Nothing runs here. Start it with `npm start`.');
    for (const file of positionals) {
      const { table, ok } = await playHttpFile(file);
      console.log(`${file}\n${table}\n`);
      if (!ok) process.exitCode = 1;
    }
  }
} catch (error) {
  if (!(error instanceof OperatorError) && (error as { code?: string }).code !== 'ENOENT') throw error;
  console.error((error as Error).message);
  process.exitCode = 1;
}
