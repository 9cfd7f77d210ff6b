import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

/** The checkout's root folder. */
export const root = path.resolve(import.meta.dirname, '../../..');

/** Everything that a run keeps: git-ignored, and safe to delete while nothing runs. */
export const dataFolder = path.join(root, '.data');

const setupShape = z.object({
  kafkaHome: z.string().optional(),
  /** Whose files the data folder holds; kept while MONGODB_URI points elsewhere. */
  engine: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('mongod'), binary: z.string() }),
      z.object({ kind: z.literal('documentdb'), cacheDir: z.string() }),
    ])
    .optional(),
});

/** What prestart found: where Kafka's jars lie and which engine is the MongoDB. */
export type Setup = z.infer<typeof setupShape>;

const secretsShape = z.object({
  actorSecret: z.string(),
  jwtPrivateJwk: z.record(z.string(), z.unknown()),
  sandboxWebhookSecret: z.string(),
  dataEncryptionKey: z.string(),
});

/** This checkout's development secrets. */
export type Secrets = z.infer<typeof secretsShape>;

/** @throws Error that names the command to run when the set-up was never finished. */
export const readSetup = (): Setup => read('setup.json', setupShape);

/** @throws Error that names the command to run when the set-up was never finished. */
export const readSecrets = (): Secrets => read('secrets.json', secretsShape);

function read<T>(name: string, shape: z.ZodType<T>): T {
  const file = path.join(dataFolder, name);
  if (!existsSync(file)) throw new Error(`${file} is missing: run \`npm run prestart\`.`);
  try {
    return shape.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // The set-up never replaces what is there.
    throw new Error(`${file} is unreadable: delete it, then run \`npm run prestart\`.`);
  }
}

/** Node's arguments that run a TypeScript file from source, with decorators and without a build. */
export const sourceArgs = ['--import', '@atelier/stack/typescript'];
