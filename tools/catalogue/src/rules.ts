import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs, styleText } from 'node:util';

const ROOT = join(import.meta.dirname, '../../..');
const HELP = `npm run rules -- [service] [--open]

Counts the documents' rules per service: proved (its id stands in the title of a test), waived (with the reason,
under Waivers in docs/data-model.md), open. --open lists the open ones.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { open: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const proved = provedRules();
const waived = waivedRules();
const files = globSync('docs/rules/*.md', { cwd: ROOT }).toSorted();
const services = files.map((file) => basename(file, '.md'));
const unknown = positionals.filter((service) => !services.includes(service));
if (unknown.length > 0) {
  console.error(`There are no rules of ${unknown.join(', ')}: there are ${services.join(', ')}.`);
  process.exit(1);
}
for (const file of files) {
  const service = basename(file, '.md');
  if (positionals.length > 0 && !positionals.includes(service)) continue;
  const rules = rowsOf(readFileSync(join(ROOT, file), 'utf8'));
  const open = rules.filter(({ id }) => !proved.has(id) && !waived.has(id));
  const waivedHere = rules.filter(({ id }) => !proved.has(id) && waived.has(id)).length;
  const provedHere = rules.length - open.length - waivedHere;
  console.log(
    `${service} ${rules.length} rules: ${styleText('green', `${provedHere} proved`)}, ${waivedHere} waived, ` +
      styleText(open.length > 0 ? 'yellow' : 'green', `${open.length} open`),
  );
  if (values.open) for (const { id, words } of open) console.log(`  ${id.padEnd(5)} ${words}`);
}

/** The rows `| R473 | what holds |` of a rules page. */
function rowsOf(page: string): { id: string; words: string }[] {
  return [...page.matchAll(/^\|\s*(R\d+)\s*\|\s*([^|]*?)\s*\|/gm)].map(([, id, words]) => ({
    id: id!,
    words: words!,
  }));
}

/** The ids in the titles of tests: `it('stores a voucher code upper-cased (R473)', …)`. */
function provedRules(): Set<string> {
  const found = new Set<string>();
  const specs = ['apps', 'libs', 'tools'].flatMap((folder) =>
    globSync(`${folder}/**/src/**/*.{spec,contract}.ts`, {
      cwd: ROOT,
      exclude: ['**/node_modules/**', '**/dist/**'],
    }),
  );
  for (const spec of specs) {
    const text = readFileSync(join(ROOT, spec), 'utf8');
    for (const [, title] of text.matchAll(
      /\b(?:it|test|describe)(?:\.each\([\s\S]*?\))?\(\s*(['"`][\s\S]*?['"`]),/g,
    )) {
      for (const id of idsIn(title!)) found.add(id);
    }
  }
  return found;
}

/** The ids in the first column of the waivers; ranges such as R511–R515 count whole. */
function waivedRules(): Set<string> {
  const page = readFileSync(join(ROOT, 'docs/data-model.md'), 'utf8');
  const waivers = page.slice(page.indexOf('## Waivers'));
  return new Set([...waivers.matchAll(/^\|([^|]*R\d+[^|]*)\|/gm)].flatMap(([, cell]) => idsIn(cell!)));
}

function idsIn(text: string): string[] {
  return [...text.matchAll(/\bR(\d+)(?:\s*[–-]\s*R(\d+))?/g)].flatMap(([, from, to]) => {
    const count = to ? Number(to) - Number(from) + 1 : 1;
    return Array.from({ length: count }, (_, index) => `R${Number(from) + index}`);
  });
}
