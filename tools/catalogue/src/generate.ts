import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { asyncApi } from './asyncapi.js';
import { scanApps } from './code.js';
import { breaches, teach } from './compatibility.js';
import { loadContracts, root, schemaOf, type Contract, type JsonSchema } from './contracts.js';
import { eventPage, indexPage } from './pages.js';
import { topicsManifest } from './topics.js';

const schemas = 'libs/contracts/schemas';
const examples = 'libs/contracts/examples';
const pages = 'docs/events';

/** What the contracts and the code say, as files: path from the root → text. */
export interface Generated {
  readonly files: ReadonlyMap<string, string>;
  /** Files that were generated once and have no source any more. */
  readonly stale: readonly string[];
  /** Changes to contracts that break others, each with what to do instead. */
  readonly refused: readonly string[];
}

/** Computes everything that `npm run gen` writes, and writes nothing. */
export async function generate(): Promise<Generated> {
  const contracts = await loadContracts();
  const usage = scanApps(contracts);
  const files = new Map<string, string>();
  for (const contract of contracts) {
    const { type, example } = contract.definition;
    files.set(schemaFile(type), `${JSON.stringify(schemaOf(contract.definition), null, 2)}\n`);
    // A golden example is a record of the past: it is written once and never follows the code.
    const golden = exampleFile(type);
    files.set(golden, read(golden) ?? (await formatted(golden, JSON.stringify(example))));
    files.set(`${pages}/${type}.md`, eventPage(contract, usage));
  }
  files.set(`${pages}/README.md`, indexPage(contracts, usage));
  const document = 'libs/contracts/asyncapi.yaml';
  files.set(document, await formatted(document, asyncApi(contracts, usage.consumers)));
  const topics = 'k8s/base/topics.yaml';
  files.set(topics, await formatted(topics, topicsManifest(contracts, usage.consumers)));
  const stale = globSync(`${pages}/*.md`, { cwd: root }).filter((file) => !files.has(file));
  return { files, stale, refused: refusals(contracts) };
}

/** What the committed schemas forbid about the definitions of now. */
export function refusals(contracts: readonly Contract[]): string[] {
  const known = new Map(contracts.map(({ definition }) => [definition.type, definition]));
  return globSync(`${schemas}/*.json`, { cwd: root })
    .sort()
    .flatMap((file) => {
      const type = path.basename(file, '.json');
      const definition = known.get(type);
      if (!definition) return [teach(type, ['the definition is gone; its facts are still on the topic'])];
      const found = breaches(JSON.parse(read(file)!) as JsonSchema, schemaOf(definition));
      return found.length === 0 ? [] : [teach(type, found)];
    });
}

/** The files that differ from what is in the checkout, as lines for a person. */
export function differences({ files, stale }: Generated): string[] {
  const changed = [...files].flatMap(([file, text]) => {
    const committed = read(file);
    return committed === text ? [] : [`${committed === undefined ? 'missing' : 'differs'}  ${file}`];
  });
  return [...changed, ...stale.map((file) => `stale    ${file}`)];
}

/** Brings the checkout up to date. Answers how many files changed. */
export function write(generated: Generated): number {
  let count = 0;
  for (const [file, text] of generated.files) {
    if (read(file) === text) continue;
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
    count++;
  }
  for (const file of generated.stale) rmSync(path.join(root, file));
  return count + generated.stale.length;
}

export const schemaFile = (type: string): string => `${schemas}/${type}.json`;
export const exampleFile = (type: string): string => `${examples}/${type}.json`;

function read(file: string): string | undefined {
  const whole = path.join(root, file);
  return existsSync(whole) ? readFileSync(whole, 'utf8') : undefined;
}

/** As `npm run format` would leave it, so that the two never disagree. */
async function formatted(file: string, text: string): Promise<string> {
  const filepath = path.join(root, file);
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}
