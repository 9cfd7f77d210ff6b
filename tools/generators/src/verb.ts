import type { Tree } from '@nx/devkit';
import { ownedIn, type Owned } from './aggregate.js';
import { addFunction, addImport, addMember, addToList, read } from './source.js';
import { capital, nameOf, pastOf, pluralOf, withArticle, type Name } from './words.js';
import { write } from './write.js';
import { refuseExisting, type App, type Feature } from './workspace.js';

/** A verb with its noun, and the trace that it leaves on it: `archive-idea` → `archivedAt`. */
export interface Verb extends Owned {
  readonly usecase: Name;
  readonly past: string;
  readonly third: string;
  /** `archivedAt` */
  readonly field: string;
  readonly notFound: string;
  readonly notFoundTakesId: boolean;
}

/** @throws Error when it is no verb with the noun of the feature */
export function verbIn(tree: Tree, feature: Feature, text: string, past?: string): Verb {
  const usecase = nameOf(text, 'a use case');
  const [verb, ...noun] = text.split('-');
  if (!verb || noun.length === 0)
    throw new Error(`\`${text}\` is no use case: it is a verb with its noun, like archive-idea.`);
  const aggregate = ownedIn(tree, feature, nameOf(noun.join('-'), 'a noun'));
  const done = past ?? pastOf(verb);
  const notFound = /export const (\w*NotFound) = \((\w*)/.exec(read(tree, aggregate.domainFile));
  if (!notFound) throw new Error(`${aggregate.domainFile} exports no …NotFound; write the use case by hand.`);
  return {
    ...aggregate,
    usecase,
    past: done,
    third: pluralOf(verb),
    field: `${done}At`,
    notFound: notFound[1]!,
    notFoundTakesId: notFound[2] !== '',
  };
}

/** What the templates of a verb need. */
export const valuesOf = (app: App, feature: Feature, verb: Verb) => ({
  ...verb,
  appName: app.name.kebab,
  featureName: feature.name.kebab,
  usecaseName: verb.usecase.kebab,
  app: app.name,
  feature: feature.name,
  plural: nameOf(pluralOf(verb.noun.kebab), 'a plural'),
  aNoun: withArticle(verb.noun.words),
});

/** Teaches the aggregate the verb: the decision with its spec, the field it fills, and the use case in the module. */
export function addVerb(tree: Tree, app: App, feature: Feature, verb: Verb): void {
  const { noun, usecase, field, past, domainFile, repositoryFile } = verb;
  const domain = read(tree, domainFile);
  if (domain.includes(`readonly ${field}`) || domain.includes(`function ${usecase.camel}(`))
    throw new Error(
      `${domainFile} has ${field} or ${usecase.camel} already. Use those, or choose another verb.`,
    );
  if (!domain.includes('readonly updatedAt: Date'))
    throw new Error(`${noun.pascal} has no updatedAt; write the use case by hand.`);
  write(tree, 'verb', valuesOf(app, feature, verb));
  addMember(tree, domainFile, { interface: noun.pascal }, `  readonly ${field}?: Date;`);
  addMember(tree, repositoryFile, { call: 'aggregateSchema' }, `  ${field}: { type: Date }`);
  addFunction(tree, domainFile, decision(verb, past));
  addImport(tree, feature.moduleFile, usecase.pascal, `./${usecase.kebab}.usecase.js`);
  addToList(tree, feature.moduleFile, 'Module', 'providers', usecase.pascal, 'USE_CASES');
}

const decision = ({ noun, usecase, field, third }: Verb, past: string): string => `
/** ${capital(third)} it. Answers undefined when it is ${past} already. */
export function ${usecase.camel}(${noun.camel}: ${noun.pascal}, now: Date): Change<${noun.pascal}> | undefined {
  if (${noun.camel}.${field}) return undefined;
  const state: ${noun.pascal} = { ...${noun.camel}, ${field}: now, updatedAt: now };
  return { state, events: [] };
}`;

/** The files of a verb must not be there yet. */
export const refuseVerb = (tree: Tree, feature: Feature, { usecase }: Verb, ...more: string[]): void =>
  refuseExisting(
    tree,
    [`${usecase.kebab}.usecase.ts`, `${usecase.kebab}.domain.spec.ts`, ...more].map(
      (file) => `${feature.folder}/${file}`,
    ),
  );
