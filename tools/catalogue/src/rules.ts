import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { styleText } from 'node:util';
import { commandLine } from '@atelier/stack/command-line';
import { root } from './contracts.js';
import { idsInTitles, rulesOf, standingOf, waivedIn } from './rule-standing.js';

const HELP = `npm run rules -- [service] [--open]

Counts the documents' rules per service: proved (its id stands in the title of a test), waived (with the reason,
under Waivers in docs/data-model.md; a test that names it proves what holds instead), open. --open lists the open ones.`;

const { values, positionals } = commandLine(HELP, {
  allowPositionals: true,
  options: { open: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const specs = ['apps', 'libs', 'tools'].flatMap((folder) =>
  globSync(`${folder}/**/src/**/*.{spec,contract}.ts`, {
    cwd: root,
    exclude: ['**/node_modules/**', '**/dist/**'],
  }),
);
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const named = new Set(specs.flatMap((spec) => idsInTitles(read(spec))));
const waivers = new Set(waivedIn(read('docs/data-model.md')));
const files = globSync('docs/rules/*.md', { cwd: root }).toSorted();
const services = files.map((file) => basename(file, '.md'));
const unknown = positionals.filter((service) => !services.includes(service));
if (unknown.length > 0) {
  console.error(`There are no rules of ${unknown.join(', ')}: there are ${services.join(', ')}.`);
  process.exit(1);
}
for (const file of files) {
  const service = basename(file, '.md');
  if (positionals.length > 0 && !positionals.includes(service)) continue;
  const rules = rulesOf(read(file));
  const { proved, waived, open } = standingOf(rules, named, waivers);
  console.log(
    `${service} ${rules.length} rules: ${styleText('green', `${proved.length} proved`)}, ${waived.length} waived, ` +
      styleText(open.length > 0 ? 'yellow' : 'green', `${open.length} open`),
  );
  if (values.open) for (const { id, words } of open) console.log(`  ${id.padEnd(5)} ${words}`);
}
