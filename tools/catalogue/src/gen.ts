import { commandLine } from '@atelier/stack/command-line';
import { differences, generate, write } from './generate.js';

const help = `usage: npm run gen         write schemas, golden examples, AsyncAPI, docs/events and k8s/base/topics.yaml
                           from the contracts and the code
       npm run gen:check   write nothing; exit 1 when something is not up to date`;

const { values } = commandLine(help, {
  options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
process.exitCode = values.help ? show(help) : await run(values.check);

async function run(check: boolean): Promise<number> {
  const generated = await generate();
  if (generated.refused.length > 0) {
    console.error(generated.refused.join('\n\n'));
    return 1;
  }
  if (!check) {
    const { size } = generated.files;
    return show(`${size} files are up to date; ${write(generated)} of them changed.`);
  }
  const found = differences(generated);
  if (found.length === 0) return show(`${generated.files.size} generated files are up to date.`);
  console.error(`Not up to date with the contracts and the code; run \`npm run gen\` and commit:`);
  console.error(found.map((line) => `  ${line}`).join('\n'));
  return 1;
}

function show(text: string): 0 {
  console.log(text);
  return 0;
}
