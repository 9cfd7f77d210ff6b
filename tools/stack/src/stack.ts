import path from 'node:path';
import { coloured } from './console.js';
import type { InfrastructurePorts } from './infrastructure.js';
import { dataFolder, type Secrets } from './checkout.js';

/** What an app's environment is made of. */
export interface Wiring {
  mongodbUri: string;
  kafkaBrokers: string;
  secrets: Secrets;
  dataDir: string;
  urls: Readonly<Record<AppName, string>>;
  /** Tells the databases of this run from those of others on the same MongoDB; without it they are the apps' own. */
  run?: string;
}

export type AppName = (typeof appNames)[number];

export interface App {
  readonly name: AppName;
  /** What it is for, in the few words of the screen. */
  readonly purpose: string;
  readonly port: number;
  /** Only what this app may know: a secret is given to its owner alone. */
  readonly env: (wiring: Wiring) => Record<string, string>;
}

const appNames = [
  'gateway',
  'identity',
  'catalog',
  'commerce',
  'ledger',
  'studio',
  'analytics',
  'notifications',
] as const;

const database = (wiring: Wiring) => ({ MONGODB_URI: wiring.mongodbUri });

/**
 * The topology. Apps start together, because each waits for what it needs by itself and says so in its
 * readiness; they stop in this order, the way in first, so that nothing new arrives while the rest drains.
 */
export const apps: readonly App[] = [
  {
    name: 'gateway',
    purpose: 'the only way in: routing, tokens, limits',
    port: 8080,
    env: ({ urls }) => ({
      JWKS_URL: `${urls.identity}/.well-known/jwks.json`,
      IDENTITY_URL: urls.identity,
      CATALOG_URL: urls.catalog,
      COMMERCE_URL: urls.commerce,
      LEDGER_URL: urls.ledger,
      STUDIO_URL: urls.studio,
      ANALYTICS_URL: urls.analytics,
      NOTIFICATIONS_URL: urls.notifications,
    }),
  },
  {
    name: 'identity',
    purpose: 'users, sessions, audit',
    port: 8081,
    env: (wiring) => ({
      ...database(wiring),
      JWT_PRIVATE_JWK: JSON.stringify(wiring.secrets.jwtPrivateJwk),
      DATA_ENCRYPTION_KEY: wiring.secrets.dataEncryptionKey,
      DEV_LOGINS_FILE: path.join(dataFolder, 'dev-logins.json'),
    }),
  },
  { name: 'catalog', purpose: 'prompts and their versions', port: 8082, env: database },
  {
    name: 'commerce',
    purpose: 'listings, purchases, payments',
    port: 8083,
    env: (wiring) => ({
      ...database(wiring),
      SANDBOX_WEBHOOK_SECRET: wiring.secrets.sandboxWebhookSecret,
      PUBLIC_URL: wiring.urls.gateway,
      LEDGER_URL: wiring.urls.ledger,
    }),
  },
  { name: 'ledger', purpose: 'double-entry journal, credits, holds', port: 8084, env: database },
  {
    name: 'studio',
    purpose: 'images and AI jobs',
    port: 8085,
    env: (wiring) => ({
      ...database(wiring),
      LEDGER_URL: wiring.urls.ledger,
      OBJECTS_DIR: path.join(wiring.dataDir, 'objects'),
    }),
  },
  { name: 'analytics', purpose: 'metrics from the facts', port: 8086, env: database },
  {
    name: 'notifications',
    purpose: 'inbox and e-mail',
    port: 8087,
    env: (wiring) => ({
      ...database(wiring),
      MAILBOX_DIR: path.join(wiring.dataDir, 'mailbox'),
      ...(process.env['SMTP_URL'] && { SMTP_URL: process.env['SMTP_URL'] }),
    }),
  },
];

export const infrastructurePorts: InfrastructurePorts = {
  kafka: 9092,
  kafkaController: 9093,
  mongodb: 27017,
};

/** The apps that `--only a,b` names, in the topology's order; all without it. */
export function selectApps(only?: readonly string[]): readonly App[] {
  const unknown = only?.filter((name) => !apps.some((app) => app.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`There is no app ${unknown.join(', ')}: the apps are ${appNames.join(', ')}.`);
  }
  return only ? apps.filter((app) => only.includes(app.name)) : apps;
}

/** The name of an app's database. */
export const databaseOf = (app: AppName, { run }: Wiring): string => (run ? `${app}_${run}` : app);

/** The environment of one app. Variables of the caller pass through, except what belongs to other apps. */
export function environmentOf(app: App, wiring: Wiring): NodeJS.ProcessEnv {
  const { MONGODB_URI: _uri, MONGODB_DATABASE: _name, NODE_OPTIONS: _options, ...inherited } = process.env;
  return {
    ...inherited,
    ...(coloured && { FORCE_COLOR: '1' }),
    NODE_ENV: inherited['NODE_ENV'] === 'production' ? 'production' : 'development',
    HOST: '127.0.0.1',
    PORT: new URL(wiring.urls[app.name]).port,
    KAFKA_BROKERS: wiring.kafkaBrokers,
    ...(wiring.run && { MONGODB_DATABASE: databaseOf(app.name, wiring) }),
    ACTOR_SECRET: wiring.secrets.actorSecret,
    LOG_FORMAT: inherited['LOG_FORMAT'] ?? 'pretty',
    LOG_LEVEL: inherited['LOG_LEVEL'] ?? 'info',
    ...app.env(wiring),
  };
}

/** Where each app listens, on the given ports or on the topology's own. */
export function urlsOf(ports?: ReadonlyMap<AppName, number>): Record<AppName, string> {
  const entries = apps.map(({ name, port }) => [name, `http://127.0.0.1:${ports?.get(name) ?? port}`]);
  return Object.fromEntries(entries) as Record<AppName, string>;
}
