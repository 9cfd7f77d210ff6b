import mongoose from 'mongoose';
import { newId } from '@atelier/kernel';
import { createLogger } from '@atelier/observability';
import { Database, Outbox, persistenceEnvironment, type DatabaseOptions } from '@atelier/persistence';
import { defineConfig, HealthRegistry, ShutdownSequence } from '@atelier/service';
import { infrastructure } from './environment.js';

export const ACTOR_SECRET = 'a-secret-of-the-tests-that-signs-actors';
const STOP_TIMEOUT_MS = 5_000;

export interface OpenDatabase<Repositories> {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly repositories: Repositories;
  close(): Promise<void>;
}

/** A database that no other test uses. */
export const aDatabaseName = (app: string): string => `${app}_${newId('t').slice(-18)}`;

/**
 * The database of a service without the service, as one of its processes has it: for the specs of what stands
 * directly on it. Several with one name are several processes. Nothing publishes the outbox.
 */
export async function openDatabase<Repositories>(
  options: DatabaseOptions & { readonly name: string; readonly mongodbUri?: string },
  build: (database: Database, outbox: Outbox) => Repositories,
): Promise<OpenDatabase<Repositories>> {
  const values = defineConfig(options.database, persistenceEnvironment).load({
    PORT: '0',
    ACTOR_SECRET,
    MONGODB_URI: options.mongodbUri ?? infrastructure().mongodbUri,
    MONGODB_DATABASE: options.name,
    MONGODB_MONITOR_COMMANDS: 'on',
  });
  const logger = createLogger(options.database, { level: 'silent' });
  const shutdown = new ShutdownSequence(logger, STOP_TIMEOUT_MS);
  const config = { SERVICE_NAME: options.database, ...values };
  const database = new Database(options, config, new HealthRegistry(), shutdown);
  const outbox = new Outbox(database);
  const repositories = build(database, outbox);
  try {
    await database.onModuleInit();
    await database.onApplicationBootstrap();
  } catch (error) {
    await shutdown.run();
    throw error;
  }
  return { database, outbox, repositories, close: () => shutdown.run() };
}

/** By a connection of its own, when the service has ended: what still runs would make its collections anew. */
export async function dropDatabase(name: string, uri = infrastructure().mongodbUri): Promise<void> {
  const connection = await mongoose.createConnection(uri, { dbName: name }).asPromise();
  try {
    await connection.dropDatabase();
  } finally {
    await connection.close();
  }
}
