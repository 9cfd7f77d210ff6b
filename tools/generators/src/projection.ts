import type { Tree } from '@nx/devkit';
import { addImport, addToList, read } from './source.js';
import { nameOf } from './words.js';
import { appNamed, factNamed, featureNamed, next, refuseExisting, type FactField } from './workspace.js';
import { environmentOf, format, write } from './write.js';

export interface ProjectionOptions {
  readonly app: string;
  readonly feature: string;
  readonly answer: string;
  readonly event: string;
}

/** Writes a view of a fact with its query and its reset, and a spec with redelivery, late facts and a replay. */
export default async function projection(tree: Tree, options: ProjectionOptions): Promise<() => void> {
  const app = appNamed(tree, options.app);
  const feature = nameOf(options.feature, 'a feature');
  const answer = nameOf(options.answer, 'an answer');
  const fact = factNamed(tree, options.event);
  const folder = `${app.folder}/${feature.kebab}`;
  refuseExisting(tree, [`${folder}/${answer.kebab}.projection.ts`, `${folder}/${answer.kebab}.int.spec.ts`]);
  const isNew = !tree.exists(`${folder}/${feature.kebab}.module.ts`);
  const fields = fact.fields.filter(({ type }) => type !== 'other').map(columnOf);
  const sample = fields[0];
  if (!sample) throw new Error(`${fact.name} has no plain field to keep. Write this view by hand.`);
  const values = {
    appName: app.name.kebab,
    featureName: feature.kebab,
    answerName: answer.kebab,
    app: app.name,
    feature,
    answer,
    fact,
    fields,
    sample: sample.name,
    sampleValue: sample.expected(`${fact.name}.example.${sample.name}`),
    environment: environmentOf(tree, app),
  };
  if (isNew) {
    write(tree, 'projection-feature', values);
    addImport(
      tree,
      app.moduleFile,
      `${feature.pascal}Module`,
      `./${feature.kebab}/${feature.kebab}.module.js`,
    );
    addToList(tree, app.moduleFile, 'Module', 'imports', `${feature.pascal}Module`);
  } else {
    const { moduleFile } = featureNamed(tree, app, feature.kebab);
    addImport(tree, moduleFile, answer.pascal, `./${answer.kebab}.projection.js`);
    const consumers = read(tree, moduleFile).includes('const PROJECTIONS =') ? 'PROJECTIONS' : 'CONSUMERS';
    addToList(tree, moduleFile, 'Module', 'controllers', answer.pascal, consumers);
    addToList(tree, moduleFile, 'Module', 'providers', answer.pascal);
  }
  write(tree, 'projection', values);
  await format(tree);
  return next(
    'npm run gen    docs/events names the new view',
    `Keep the fields that its readers ask for, with an index for each query: ${folder}/${answer.kebab}.projection.ts.`,
    `npm run replay -- ${app.name.kebab}.view-${answer.kebab}    fills it from the past, when the app runs`,
    'A new consumer group goes into k8s/base; apps/e2e/src/kubernetes.spec.ts says which line is missing.',
  );
}

const TYPES = {
  text: ['string', 'String'],
  number: ['number', 'Number'],
  flag: ['boolean', 'Boolean'],
  date: ['Date', 'Date'],
  texts: ['readonly string[]', '[String]'],
} as const;

/** How a field of the fact is kept: its type here, in the schema, and what it becomes. */
function columnOf({ name, type, required }: FactField) {
  const [inCode, inSchema] = TYPES[type as keyof typeof TYPES];
  const isDate = type === 'date';
  return {
    name,
    required,
    ts: inCode,
    mongoose: required ? `{ type: ${inSchema}, required: true }` : `{ type: ${inSchema} }`,
    assignment: isDate
      ? required
        ? `${name}: new Date(${name})`
        : `...(${name} ? { ${name}: new Date(${name}) } : {})`
      : required
        ? name
        : `...(${name} === undefined ? {} : { ${name} })`,
    expected: (example: string): string => (isDate ? `new Date(${example})` : example),
  };
}
