import type { Tree } from '@nx/devkit';
import { addImport, addToList } from './source.js';
import { nameOf } from './words.js';
import { appNamed, next, refuseExisting } from './workspace.js';
import { environmentOf, format, write } from './write.js';

export interface MigrationOptions {
  readonly app: string;
  readonly words: string;
  readonly documents: string;
  readonly field: string;
  readonly value: string;
}

const NUMBER_DIGITS = 4;
const FIELD = /^[a-z][A-Za-z0-9]*$/;
const COLLECTION = /^[a-z][a-z0-9_]*$/;

/** Writes the next numbered migration: documents from before a field existed are given a value for it. */
export default async function migration(tree: Tree, options: MigrationOptions): Promise<() => void> {
  const app = appNamed(tree, options.app);
  const name = nameOf(options.words, 'a migration');
  if (!COLLECTION.test(options.documents))
    throw new Error(
      `\`${options.documents}\` is no collection: --documents is in snake case, like payout_methods.`,
    );
  if (!FIELD.test(options.field))
    throw new Error(`\`${options.field}\` is no field: --field is in camel case, like archivedAt.`);
  const folder = `${app.folder}/migrations`;
  const numbers = tree.children(folder).flatMap((file) => /^(\d{4})-/.exec(file)?.[1] ?? []);
  const number = String(Math.max(0, ...numbers.map(Number)) + 1).padStart(NUMBER_DIGITS, '0');
  const id = `${number}-${name.kebab}`;
  refuseExisting(tree, [`${folder}/${id}.migration.ts`]);
  write(tree, 'migration', {
    appName: app.name.kebab,
    app: app.name,
    name,
    id,
    collection: options.documents,
    field: options.field,
    value: literal(options.value),
    environment: environmentOf(tree, app),
  });
  addImport(tree, app.moduleFile, `${name.camel}Migration`, `./migrations/${id}.migration.js`);
  addToList(tree, app.moduleFile, 'PersistenceModule.forRoot', 'migrations', `${name.camel}Migration`);
  await format(tree);
  return next(
    'It runs once, when the next version starts, beside the version before: add, never rename or remove.',
    `NODE_OPTIONS=--experimental-vm-modules npx jest ${folder}`,
  );
}

/** A JSON value as TypeScript; what is no JSON is a text. */
function literal(value: string): string {
  try {
    const parsed: unknown = JSON.parse(value);
    if (parsed === null || ['number', 'boolean', 'string'].includes(typeof parsed))
      return JSON.stringify(parsed);
  } catch {
    return JSON.stringify(value);
  }
  throw new Error(`--value is a text, a number, true, false or null, not ${value}.`);
}
