import type { Tree } from '@nx/devkit';
import { addImport, addToList, objectNamed, read } from './source.js';
import { addVerb, refuseVerb, valuesOf, verbIn, type Verb } from './verb.js';
import { nameOf } from './words.js';
import { appNamed, factNamed, featureNamed, next, type Fact, type Feature } from './workspace.js';
import { environmentOf, format, write } from './write.js';

export interface ConsumerOptions {
  readonly app: string;
  readonly feature: string;
  readonly event: string;
  /** Needed; not by the schema, since Nx would ask for it before anything else is looked at. */
  readonly usecase?: string;
  readonly past?: string;
  readonly id?: string;
  readonly owner?: string;
}

/** Writes a reaction: the consumer, the use case it calls, the decision, and a spec that tells the fact twice. */
export default async function consumer(tree: Tree, options: ConsumerOptions): Promise<() => void> {
  const app = appNamed(tree, options.app);
  const feature = featureNamed(tree, app, options.feature);
  const fact = factNamed(tree, options.event);
  if (!options.usecase)
    throw new Error(`Say with --usecase what is done then: a verb and its noun, like offer-prompt.`);
  const verb = verbIn(tree, feature, options.usecase, options.past);
  const factName = nameOf(fact.name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase(), 'a fact');
  refuseVerb(tree, feature, verb, `on-${factName.kebab}.consumer.ts`, `on-${factName.kebab}.int.spec.ts`);
  write(tree, 'consumer', {
    ...valuesOf(app, feature, verb),
    fact,
    factName: factName.kebab,
    idField: fieldOf(fact, options.id ?? `${verb.noun.camel}Id`, '--id', verb.prefix),
    ownerField: fieldOf(fact, options.owner ?? verb.owner, '--owner', 'usr'),
    environment: environmentOf(tree, app),
    ...creationOf(tree, feature, verb),
  });
  addVerb(tree, app, feature, verb);
  addImport(tree, feature.moduleFile, `On${fact.name}`, `./on-${factName.kebab}.consumer.js`);
  addToList(tree, feature.moduleFile, 'Module', 'controllers', `On${fact.name}`, 'CONSUMERS');
  await format(tree);
  return next(
    'npm run gen    docs/events names the new consumer',
    `What it really decides: ${verb.usecase.camel} in ${verb.domainFile}.`,
    'A new consumer group goes into k8s/base; apps/e2e/src/kubernetes.spec.ts says which line is missing.',
  );
}

/** The field of the fact with ids of this kind. */
function fieldOf(fact: Fact, field: string, option: string, prefix: string): string {
  const found = fact.fields.find(({ name }) => name === field);
  if (found?.prefix === prefix) return field;
  const fit = fact.fields.filter((one) => one.prefix === prefix).map(({ name }) => name);
  throw new Error(
    `${fact.name} has no ${field} that is an id like ${prefix}_…. ` +
      (fit.length > 0
        ? `Say with ${option} which it is: ${fit.join(', ')}.`
        : 'It does not say whom it is about here: keep what you need of it in a view (projection), and ask that.'),
  );
}

/** How the feature's own spec makes one: its route, and the body that stands there as a constant. */
function creationOf(tree: Tree, { folder, name }: Feature, { noun }: Verb): { route: string; body: string } {
  const controller = `${folder}/${name.kebab}.controller.ts`;
  const spec = `${folder}/${name.kebab}.int.spec.ts`;
  const route = /@Controller\('([^']+)'\)/.exec(read(tree, controller))?.[1];
  const body = tree.exists(spec) ? objectNamed(tree, spec, noun.constant) : undefined;
  if (!route || !body)
    throw new Error(
      `The spec of the reaction makes ${noun.words}s by POST: ${spec} needs a \`const ${noun.constant} = { … }\` to send.`,
    );
  return { route: `/${route}`, body };
}
