import type { Tree } from '@nx/devkit';
import { nearest } from '@atelier/catalogue/nearest';
import { read } from './source.js';
import { nameOf, type Name } from './words.js';

/** A service with a database: where features live. */
export interface App {
  readonly name: Name;
  /** `apps/catalog/src` */
  readonly folder: string;
  readonly moduleFile: string;
}

/** A feature folder with one noun in it. */
export interface Feature {
  readonly name: Name;
  readonly folder: string;
  readonly moduleFile: string;
}

/** A fact as the contracts define it. */
export interface Fact {
  /** `PurchaseCompleted` */
  readonly name: string;
  /** `commerce.purchase.completed.v1` */
  readonly type: string;
  /** `@atelier/contracts/commerce/purchase.events` */
  readonly specifier: string;
  readonly fields: readonly FactField[];
}

export interface FactField {
  readonly name: string;
  readonly type: 'text' | 'date' | 'number' | 'flag' | 'texts' | 'other';
  readonly required: boolean;
  /** `prm` of a field with ids like prm_… */
  readonly prefix?: string;
}

const list = (items: readonly string[]): string => items.join(', ');
const moduleOf = (app: string): string => `apps/${app}/src/${app}.module.ts`;

/** @throws Error that lists the apps there are */
export function appNamed(tree: Tree, text: string): App {
  const apps = tree
    .children('apps')
    .filter((app) => tree.read(moduleOf(app), 'utf8')?.includes('PersistenceModule.forRoot('));
  if (!apps.includes(text))
    throw new Error(`There is no app \`${text}\` with features. There are: ${list(apps)}.`);
  return { name: nameOf(text, 'an app'), folder: `apps/${text}/src`, moduleFile: moduleOf(text) };
}

const moduleIn = (folder: string): string => `${folder}/${folder.split('/').at(-1)}.module.ts`;

/** @throws Error that lists the features there are */
export function featureNamed(tree: Tree, app: App, text: string): Feature {
  const features = tree.children(app.folder).filter((one) => tree.exists(moduleIn(`${app.folder}/${one}`)));
  if (!features.includes(text)) {
    const hint = `\`npx nx g @atelier/generators:feature ${app.name.kebab} <noun>\` writes a new one.`;
    throw new Error(
      `${app.name.kebab} has no feature \`${text}\`. There are: ${list(features)}. A feature is named by the plural of its noun; ${hint}`,
    );
  }
  const folder = `${app.folder}/${text}`;
  return { name: nameOf(text, 'a feature'), folder, moduleFile: moduleIn(folder) };
}

/**
 * The fact of this name or type, with its fields from the committed schema.
 * @throws Error that names the nearest facts there are
 */
export function factNamed(tree: Tree, text: string): Fact {
  const facts: Omit<Fact, 'fields'>[] = [];
  const folder = 'libs/contracts/src';
  for (const app of tree.children(folder).filter((one) => !tree.isFile(`${folder}/${one}`))) {
    for (const file of tree.children(`${folder}/${app}`).filter((one) => one.endsWith('.events.ts'))) {
      const definitions = /export const (\w+) = defineEvent\(\{\s*type: '([^']+)'/g;
      for (const [, name, type] of read(tree, `${folder}/${app}/${file}`).matchAll(definitions))
        facts.push({ name: name!, type: type!, specifier: `@atelier/contracts/${app}/${file.slice(0, -3)}` });
    }
  }
  const fact = facts.find(({ name, type }) => name === text || type === text);
  if (!fact) {
    const near = nearest(
      text,
      facts.map(({ name, type }) => ({ name, spellings: [name.toLowerCase(), type] })),
    );
    throw new Error(
      `There is no fact \`${text}\`. Did you mean ${list(near)}? \`npm run flow\` lists them all.`,
    );
  }
  const schemaFile = `libs/contracts/schemas/${fact.type}.json`;
  if (!tree.exists(schemaFile)) throw new Error(`There is no ${schemaFile} yet. Run \`npm run gen\` first.`);
  return { ...fact, fields: fieldsOf(JSON.parse(read(tree, schemaFile)) as JsonSchema) };
}

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

const fieldsOf = ({ properties = {}, required = [] }: JsonSchema): FactField[] =>
  Object.entries(properties).map(([name, schema]) => ({
    name,
    type: fieldType(schema),
    required: required.includes(name),
    ...prefixIn(schema),
  }));

function prefixIn({ pattern }: JsonSchema): { prefix?: string } {
  const prefix = /^\^([a-z]+)_/.exec(pattern ?? '')?.[1];
  return prefix ? { prefix } : {};
}

function fieldType({ type, format, items }: JsonSchema): FactField['type'] {
  if (type === 'string') return format === 'date-time' ? 'date' : 'text';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'boolean') return 'flag';
  return type === 'array' && items?.type === 'string' ? 'texts' : 'other';
}

/**
 * The three letters before an id. Taken ones would make two kinds of ids look alike.
 * @throws Error when the prefix is taken or is none
 */
export function freePrefix(tree: Tree, noun: Name, wanted?: string): string {
  const taken = new Set<string>();
  const scan = (folder: string): void => {
    for (const child of tree.children(folder)) {
      const path = `${folder}/${child}`;
      if (!tree.isFile(path)) {
        if (!['node_modules', 'dist', 'schemas'].includes(child)) scan(path);
      } else if (/\.(domain|api|events)\.ts$/.test(child)) {
        for (const [, prefix] of read(tree, path).matchAll(/(?:idSchema\(|\bId<)'([a-z]+)'/g))
          taken.add(prefix!);
      }
    }
  };
  scan('libs/contracts/src');
  scan('apps');
  const letters = noun.kebab.replaceAll('-', '');
  const consonants = letters[0]! + letters.slice(1).replace(/[aeiou]/g, '');
  const prefix =
    wanted ??
    [letters.slice(0, 3), consonants.slice(0, 3)].find((one) => one.length === 3 && !taken.has(one));
  if (prefix && /^[a-z]{3}$/.test(prefix) && !taken.has(prefix)) return prefix;
  const why = wanted
    ? `\`${wanted}\` is taken or not three letters`
    : `no prefix of \`${noun.kebab}\` is free`;
  throw new Error(`${why}; choose one with --prefix. Taken: ${list([...taken].sort())}.`);
}

/** @throws Error when one of the files is there: a generator never writes over what somebody wrote. */
export function refuseExisting(tree: Tree, files: readonly string[]): void {
  const there = files.filter((file) => tree.exists(file));
  if (there.length > 0)
    throw new Error(`Already there: ${list(there)}. Choose another name, or delete it first.`);
}

/** Shown after a generator has run: what is left for a person to decide. */
export const next =
  (...lines: readonly string[]) =>
  (): void =>
    console.log(['', 'Next:', ...lines.map((line) => `  ${line}`), ''].join('\n'));
