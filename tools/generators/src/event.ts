import type { Tree } from '@nx/devkit';
import { aggregateOf, type Aggregate } from './aggregate.js';
import { addImport, addToList, read } from './source.js';
import { capital, nameOf, withArticle, type Name } from './words.js';
import { appNamed, freePrefix, next } from './workspace.js';
import { format } from './write.js';

export interface EventOptions {
  readonly app: string;
  readonly noun: string;
  readonly past: string;
  readonly prefix?: string;
}

const EXAMPLE_ID = '01m7y1j20qe008c1f3vesc43m3';
const EXAMPLE_USER = 'usr_01m7y1j20qe00tx1bzgqw12hbc';
const EXAMPLE_TIME = '2026-11-21T08:00:00.000Z';

/**
 * Defines a fact about a noun, adds it to what its app publishes, and lets the decision of that name state it:
 * `event catalog idea archived` finds `archiveIdea`, which the use-case generator wrote.
 */
export default async function event(tree: Tree, options: EventOptions): Promise<() => void> {
  const app = appNamed(tree, options.app);
  const noun = nameOf(options.noun, 'a noun');
  const past = nameOf(options.past, 'what has happened');
  const name = `${noun.pascal}${past.pascal}`;
  const aggregate = aggregateOf(tree, app, noun);
  const prefix = aggregate?.prefix ?? freePrefix(tree, noun, options.prefix);
  const owner = ownerFieldOf(noun, aggregate);
  const folder = `libs/contracts/src/${app.name.kebab}`;
  const file = `${folder}/${noun.kebab}.events.ts`;
  const definition = `
export const ${name} = defineEvent({
  type: '${app.name.snake}.${noun.snake}.${past.snake}.v1',
  summary: '${capital(withArticle(noun.words))} was ${past.words}.',
  data: z.object({ ${noun.camel}Id: idSchema('${prefix}'), ${owner && `${owner}: idSchema('usr'), `}${past.camel}At: z.iso.datetime() }),
  example: {
    ${noun.camel}Id: '${prefix}_${EXAMPLE_ID}',
    ${owner && `${owner}: '${EXAMPLE_USER}',`}
    ${past.camel}At: '${EXAMPLE_TIME}',
  },
});
`;
  if (tree.exists(file)) {
    if (read(tree, file).includes(`export const ${name} `))
      throw new Error(`${file} defines ${name} already. A fact that means something else has another name.`);
    for (const [imported, from] of [
      ['z', 'zod'],
      ['defineEvent', '@atelier/kernel'],
      ['idSchema', '@atelier/kernel'],
    ] as const)
      addImport(tree, file, imported, from);
    tree.write(file, `${read(tree, file).trimEnd()}\n${definition}`);
  } else {
    tree.write(
      file,
      `import { z } from 'zod';\nimport { defineEvent, idSchema } from '@atelier/kernel';\n${definition}`,
    );
  }
  const specifier = `@atelier/contracts/${app.name.kebab}/${noun.kebab}.events`;
  addImport(tree, app.moduleFile, name, specifier);
  addToList(tree, app.moduleFile, 'MessagingModule.forRoot', 'publishes', name);
  const stated = aggregate && stateIt(tree, aggregate, name, past, specifier);
  await format(tree);
  return next(
    'npm run gen    writes its schema, its golden example, docs/events and a new topic into k8s/base',
    stated
      ? `${stated} states it now. Say more in its data, when a stranger needs more; never less later.`
      : `A domain function states it: \`events: [${name}(state.id, { … })]\`.`,
  );
}

/** Whose it is, as the fact says it; nothing when that is said by its id, or when it is nobody's. */
function ownerFieldOf(noun: Name, aggregate: Aggregate | undefined): string {
  if (!aggregate) return noun.camel === 'user' ? '' : 'userId';
  return aggregate.owner === 'id' ? '' : (aggregate.owner ?? '');
}

/** Puts the fact where the state changes. Answers the function that states it, if there is one that leaves this trace. */
function stateIt(
  tree: Tree,
  aggregate: Aggregate,
  name: string,
  past: Name,
  specifier: string,
): string | undefined {
  const { noun, domainFile } = aggregate;
  const owner = ownerFieldOf(noun, aggregate);
  const text = read(tree, domainFile);
  const decision = new RegExp(
    `(export function (\\w+)\\([^}]*?\\{\\s*if \\(${noun.camel}\\.${past.camel}At\\) return undefined;[^]*?events: )\\[\\]`,
  ).exec(text);
  if (!decision) return undefined;
  const [whole, before, functionName] = decision as unknown as [string, string, string];
  const data = `{ ${noun.camel}Id: state.id, ${owner && `${owner}: state.${owner}, `}${past.camel}At: now.toISOString() }`;
  tree.write(
    domainFile,
    text.replace(whole, () => `${before}[${name}(state.id, ${data})]`),
  );
  addImport(tree, domainFile, name, specifier);
  const folder = domainFile.slice(0, domainFile.lastIndexOf('/'));
  for (const file of tree.children(folder).filter((one) => one.endsWith('.usecase.ts'))) {
    const usecase = read(tree, `${folder}/${file}`);
    if (usecase.includes(` ${functionName}(`))
      tree.write(`${folder}/${file}`, usecase.replace('Emits: nothing.', `Emits: ${name}.`));
  }
  return functionName;
}
