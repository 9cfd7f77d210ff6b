import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import type { EventDefinition, TopicOptions } from '@atelier/kernel';
import { apps as started, urlsOf, type Wiring } from '@atelier/stack/stack';

/** What the code says a deployment needs, and what the manifests say it gets; their specs compare the two. */

export const ROOT = join(import.meta.dirname, '../../..');
const DAY_MS = 86_400_000;

/** Why a variable that `npm start` sets is not set in a deployment of another kind. */
export type NotHere = Readonly<Record<string, string>>;

export interface App {
  readonly name: string;
  readonly port: number;
  /** The variables that only this app gets. */
  readonly variables: readonly string[];
}

const secrets = { actorSecret: '', jwtPrivateJwk: {}, sandboxWebhookSecret: '', dataEncryptionKey: '' };
const wiring: Wiring = { mongodbUri: '', kafkaBrokers: '', secrets, dataDir: '', urls: urlsOf() };

/** The services as `npm start` runs them. */
export const apps: readonly App[] = started.map(({ name, port, env }) => ({
  name,
  port,
  variables: Object.keys(env(wiring)),
}));

/** Every consumer group, by the app that runs it. */
export function consumerGroups(): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, Set<string>>();
  for (const file of globSync('apps/*/src/**/*.ts', { cwd: ROOT })) {
    if (/\.(spec|fixture)\.ts$/.test(file)) continue;
    for (const [, group = ''] of text(file).matchAll(/\bgroup: '([^']+)'/g)) {
      const app = file.split('/')[1]!;
      groups.set(app, (groups.get(app) ?? new Set()).add(group));
    }
  }
  return new Map([...groups].map(([app, of]) => [app, [...of].sort()]));
}

/** Every topic that a running platform uses, as contracts and consumers ask for it. */
export async function topics(): Promise<ReadonlyMap<string, TopicOptions>> {
  const wanted = new Map<string, TopicOptions>();
  for (const file of globSync('libs/contracts/src/*/*.events.ts', { cwd: ROOT })) {
    for (const value of Object.values(await load(file))) {
      if (isEvent(value)) wanted.set(value.topic, value.topicOptions);
    }
  }
  for (const group of [...consumerGroups().values()].flat()) {
    wanted.set(`${group}.dead`, { partitions: 1, retentionMs: -1, cleanup: 'compact' });
    wanted.set(`${group}.retry`, { partitions: 1, retentionMs: 7 * DAY_MS, cleanup: 'delete' });
  }
  return wanted;
}

/** The names of all metrics that the code registers. */
export function metricNames(): ReadonlySet<string> {
  const names = globSync('{apps,libs}/**/src/**/*.ts', { cwd: ROOT })
    .filter((file) => !file.includes('node_modules') && !file.endsWith('.spec.ts'))
    .flatMap((file) => [...text(file).matchAll(/'(atelier_[a-z_]+)'/g)].map(([, name]) => name!));
  return new Set(names);
}

// why: manifests have no type; specs look at single paths of them.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Manifest = Record<string, any>;

export const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
export const yamlFile = (file: string): Manifest => parse(text(file), { merge: true }) as Manifest;

/** The manifests of the Kustomize base, with the merge patches of its kustomization applied. */
export function kubernetesBase(): readonly Manifest[] {
  const folder = 'k8s/base';
  const kustomization = yamlFile(`${folder}/kustomization.yaml`);
  const manifests = (kustomization['resources'] as string[]).flatMap((file) =>
    parseAllDocuments(text(`${folder}/${file}`)).map((document) => document.toJS() as Manifest),
  );
  for (const { path, target } of kustomization['patches'] as { path?: string; target: Manifest }[]) {
    if (!path) continue;
    const { spec } = yamlFile(`${folder}/${path}`);
    for (const manifest of manifests)
      if (manifest['kind'] === target['kind']) manifest['spec'] = merged(manifest['spec'], spec);
  }
  return manifests;
}

/** As Kustomize does it: objects by key, lists of named things by name, anything else is replaced. */
function merged(into: unknown, patch: unknown): unknown {
  if (isNamedList(into) && isNamedList(patch)) {
    const rest = patch.filter(({ name }) => !into.some((item) => item.name === name));
    return [
      ...rest,
      ...into.map((item) =>
        merged(
          item,
          patch.find(({ name }) => name === item.name),
        ),
      ),
    ];
  }
  if (!isRecord(into) || !isRecord(patch)) return patch ?? into;
  return Object.fromEntries(
    [...new Set([...Object.keys(into), ...Object.keys(patch)])].map((key) => [
      key,
      merged(into[key], patch[key]),
    ]),
  );
}

const load = async (file: string): Promise<Record<string, unknown>> =>
  (await import(pathToFileURL(join(ROOT, file)).href)) as Record<string, unknown>;
const isRecord = (value: unknown): value is Manifest =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNamedList = (value: unknown): value is { name: string }[] =>
  Array.isArray(value) && value.every((item) => isRecord(item) && typeof item['name'] === 'string');
const isEvent = (value: unknown): value is EventDefinition =>
  typeof value === 'function' && 'topicOptions' in value && 'schema' in value;
