import type { Tree } from '@nx/devkit';
import { addImport, addToList, read } from './source.js';
import { nameOf, pluralOf, withArticle, type Name } from './words.js';
import { appNamed, freePrefix, next, refuseExisting, type App } from './workspace.js';
import { environmentOf, format, write } from './write.js';

export interface FeatureOptions {
  readonly app: string;
  readonly noun: string;
  readonly plural?: string;
  readonly prefix?: string;
  readonly documents?: string;
  readonly route?: string;
}

const ROUTES_FILE = 'apps/gateway/src/routing/routes.ts';

/** Writes a noun that belongs to a user: contracts, domain, repository, use cases, routes, specs, and its place. */
export default async function feature(tree: Tree, options: FeatureOptions): Promise<() => void> {
  const app = appNamed(tree, options.app);
  const noun = nameOf(options.noun, 'a noun');
  const nouns = nameOf(options.plural ?? pluralOf(noun.kebab), 'its plural');
  if (nouns.kebab === noun.kebab) throw new Error(`\`${noun.kebab}\` needs a plural of its own: --plural.`);
  const route = `/api/v1/${(options.route ?? nouns.kebab).replace(/^\/?(api\/v1\/)?/, '')}`;
  const folder = `${app.folder}/${nouns.kebab}`;
  refuseExisting(tree, [`libs/contracts/src/${app.name.kebab}/${nouns.kebab}.api.ts`, folder]);
  write(tree, 'feature', {
    appName: app.name.kebab,
    nounName: noun.kebab,
    nounsName: nouns.kebab,
    app: app.name,
    noun,
    nouns,
    aNoun: withArticle(noun.words),
    prefix: freePrefix(tree, noun, options.prefix),
    collection: options.documents ?? nouns.snake,
    route,
    environment: environmentOf(tree, app),
  });
  addImport(tree, app.moduleFile, `${nouns.pascal}Module`, `./${nouns.kebab}/${nouns.kebab}.module.js`);
  addToList(tree, app.moduleFile, 'Module', 'imports', `${nouns.pascal}Module`);
  routeThroughGateway(tree, app, route.slice('/api/v1/'.length));
  appendRequests(tree, app, noun, nouns, route);
  await format(tree);
  return next(
    `NODE_OPTIONS=--experimental-vm-modules npx jest ${folder}`,
    `Its own fields: ${folder}/${noun.kebab}.domain.ts, its repository and the contract beside it.`,
    `npx nx g @atelier/generators:usecase ${app.name.kebab} ${nouns.kebab} <verb>-${noun.kebab}`,
    'docs/data-model.md and the README of the app name what is kept and why.',
  );
}

/** A path that is not in the gateway's table does not exist for clients. */
function routeThroughGateway(tree: Tree, { name }: App, path: string): void {
  const text = read(tree, ROUTES_FILE);
  const from = text.indexOf('export const ROUTES');
  const to = text.indexOf('\n];', from);
  const groups = text.slice(from, to).split('\n\n');
  const routed = groups.find(
    (group) => group.includes(`'${path.split('/')[0]}/*'`) || group.includes(`'${path}/*'`),
  );
  if (routed) {
    if (routed.includes(`'${name.kebab}'`)) return;
    throw new Error(`/api/v1/${path} belongs to another service in ${ROUTES_FILE}. Choose another --route.`);
  }
  const mine = groups.findLastIndex((group) => group.includes(`('${name.kebab}'`));
  groups[mine] += `\n  to('${name.kebab}', '${path}/*'),`;
  tree.write(ROUTES_FILE, text.slice(0, from) + groups.join('\n\n') + text.slice(to));
}

/** The two requests that a newcomer sends first. */
function appendRequests(tree: Tree, { name }: App, noun: Name, nouns: Name, route: string): void {
  const file = `apps/${name.kebab}/${name.kebab}.http`;
  const path = `{{base}}${route.slice('/api/v1'.length)}`;
  const text = read(tree, file);
  // The person who asked last in this file.
  const token = `Authorization: Bearer ${text.match(/(?<=Bearer )\{\{[^}]+\}\}/g)?.at(-1) ?? '{{token}}'}`;
  const name_ = `${noun.camel}Created`;
  const requests = `
### Create ${withArticle(noun.words)}
# @name ${name_}
# @expect 201
POST ${path}
${token}
Content-Type: application/json
Idempotency-Key: {{$guid}}

{ "title": "The first" }

### and read it
# @expect 200
GET ${path}/{{${name_}.response.body.id}}
${token}

### My ${nouns.words}, newest first
# @expect 200
GET ${path}?limit=20
${token}
`;
  tree.write(file, `${text.trimEnd()}\n${requests}`);
}
