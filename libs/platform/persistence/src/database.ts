import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import mongoose from 'mongoose';
import { z } from 'zod';
import {
  HealthRegistry,
  ServiceConfig,
  setOutageProbe,
  setTransactionProbe,
  ShutdownSequence,
} from '@atelier/service';
import { ensureIndexes } from './indexes.js';
import { migrate, type Migration } from './migrations.js';
import { isOutage } from './outage.js';
import { currentSession, runInTransaction } from './transaction.js';
import { Turnstile } from './turnstile.js';

/** The part of a service's environment that persistence reads. */
export const persistenceEnvironment = {
  MONGODB_URI: z.string().startsWith('mongodb').describe('a replica set; DocumentDB and Atlas work too'),
  MONGODB_DATABASE: z.string().min(1).max(63).optional().describe('default: the name of the service'),
  MONGODB_POOL_MAX: z.coerce.number().int().min(1).max(200).default(20),
  MONGODB_TRANSACTIONS_WAITING_MAX: z.coerce.number().int().min(1).default(1_000),
  MONGODB_TRANSACTION_WAIT_MS_MAX: z.coerce.number().int().min(100).max(60_000).default(10_000),
  /** How long a query looks for a server before it says that the database is away. */
  MONGODB_SERVER_SELECTION_TIMEOUT_MS: z.coerce.number().int().min(100).default(10_000),
  MONGODB_QUERY_TIMEOUT_MS: z.coerce.number().int().min(100).default(30_000),
  MONGODB_MONITOR_COMMANDS: z.enum(['on', 'off']).default('off').describe('tells tests of every command'),
};
const environmentSchema = z.object(persistenceEnvironment);

export const DATABASE_OPTIONS = Symbol('DATABASE_OPTIONS');
export interface DatabaseOptions {
  /** One database per service; nobody else opens it. */
  readonly database: string;
  readonly migrations?: readonly Migration[];
}

const PING_TIMEOUT_MS = 2_000;

/** The service's one connection: models, transactions, indexes and migrations hang on it. */
@Injectable()
export class Database implements OnModuleInit, OnApplicationBootstrap {
  readonly connection: mongoose.Connection;
  /** The service's name: its database's, and the first word of every fact it may state. */
  readonly app: string;
  private readonly log = new Logger(Database.name);
  private readonly turnstile: Turnstile;
  private readonly retries: Turnstile;

  constructor(
    @Inject(DATABASE_OPTIONS) private readonly options: DatabaseOptions,
    config: ServiceConfig,
    private readonly health: HealthRegistry,
    shutdown: ShutdownSequence,
  ) {
    this.app = options.database;
    const environment = environmentSchema.parse(config);
    this.connection = mongoose.createConnection(environment.MONGODB_URI, {
      dbName: environment.MONGODB_DATABASE ?? options.database,
      appName: `atelier-${options.database}`,
      maxPoolSize: environment.MONGODB_POOL_MAX,
      serverSelectionTimeoutMS: environment.MONGODB_SERVER_SELECTION_TIMEOUT_MS,
      socketTimeoutMS: environment.MONGODB_QUERY_TIMEOUT_MS,
      autoIndex: false,
      autoCreate: false,
      // While the server is away the driver looks for it; mongoose would only wait to be told of it.
      bufferCommands: false,
      ignoreUndefined: true,
      monitorCommands: environment.MONGODB_MONITOR_COMMANDS === 'on',
    });
    // Half of the pool: an open transaction and a plain query beside it each find a connection.
    const waitingMax = environment.MONGODB_TRANSACTIONS_WAITING_MAX;
    const waitMsMax = environment.MONGODB_TRANSACTION_WAIT_MS_MAX;
    const insideMax = Math.max(1, Math.floor(environment.MONGODB_POOL_MAX / 2));
    this.turnstile = new Turnstile({ insideMax, waitingMax, waitMsMax });
    // What has met a conflict meets it again if all that were refused come back together: they come one by one.
    this.retries = new Turnstile({ insideMax: 1, waitingMax, waitMsMax });
    this.connection.on('error', (error: Error) => this.log.error(`database: ${error.message}`));
    setTransactionProbe(() => currentSession() !== undefined);
    setOutageProbe(isOutage);
    shutdown.add('database', 'mongodb', () => this.connection.close());
  }

  async onModuleInit(): Promise<void> {
    await this.connection.asPromise();
    this.health.add('mongodb', async () => {
      await this.connection.db!.command({ ping: 1 }, { timeoutMS: PING_TIMEOUT_MS });
      return { up: true };
    });
  }

  /** By now every repository has registered its model. A migration may have to clear the way for an index. */
  async onApplicationBootstrap(): Promise<void> {
    await migrate(this.connection, this.options.migrations ?? [], this.log);
    await ensureIndexes(this.connection, this.log);
  }

  /** The model of a collection. Schemas are strict: a field that is not declared is a fault, not data. */
  model<Document>(collection: string, schema: mongoose.Schema<Document>): mongoose.Model<Document> {
    return (
      (this.connection.models[collection] as mongoose.Model<Document> | undefined) ??
      this.connection.model<Document>(collection, schema, collection)
    );
  }

  /** See `runInTransaction`. */
  transaction<T>(work: (session: mongoose.mongo.ClientSession) => Promise<T>): Promise<T> {
    if (currentSession()) return runInTransaction(this.connection, work);
    return this.turnstile.pass(() =>
      runInTransaction(this.connection, work, (run) => this.retries.pass(run)),
    );
  }
}
