import path from 'node:path';
import { startKafka, type KafkaBroker } from '@atelier/kafka';
import type { Setup } from './checkout.js';
import { databaseFolder, startDatabase, type Database } from './database.js';
import { Supervised } from './supervised.js';

export interface InfrastructurePorts {
  kafka: number;
  kafkaController: number;
  mongodb: number;
}

export interface InfrastructureOptions {
  setup: Setup;
  dataDir: string;
  ports: InfrastructurePorts;
  fsync: boolean;
  /** Told when one of them died and is started again. */
  say: (text: string) => void;
}

export interface Infrastructure {
  readonly mongodbUri: string;
  readonly kafkaBrokers: string;
  /** Those that this run started: nothing for what the environment points to. */
  readonly pids: Readonly<Record<string, number>>;
  readonly kafka?: Supervised<KafkaBroker>;
  readonly database?: Supervised<Database>;
  stop(): Promise<void>;
}

/**
 * Starts Kafka and the database together and keeps them alive. `KAFKA_BROKERS` and `MONGODB_URI` point to
 * yours instead.
 * @throws Error of the one that failed, after the other was stopped.
 */
export async function startInfrastructure(options: InfrastructureOptions): Promise<Infrastructure> {
  const { setup, dataDir, ports, say } = options;
  const ownBrokers = process.env['KAFKA_BROKERS'];
  const ownUri = process.env['MONGODB_URI'];
  const broker = ownBrokers ? undefined : new Supervised('kafka', kafka, say);
  const db = ownUri ? undefined : new Supervised('mongodb', database, say);
  const stop = async () => {
    await Promise.all([broker?.stop(), db?.stop()]);
  };
  const starts = await Promise.allSettled([broker?.start(), db?.start()]);
  const failure = starts.find((start) => start.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  return {
    mongodbUri: ownUri ?? db?.running?.uri ?? '',
    kafkaBrokers: ownBrokers ?? broker?.running?.brokers ?? '',
    get pids() {
      const kafkaPid = broker?.running?.pid;
      const mongodbPid = db?.running?.pid;
      return { ...(kafkaPid && { kafka: kafkaPid }), ...(mongodbPid && { mongodb: mongodbPid }) };
    },
    ...(broker && { kafka: broker }),
    ...(db && { database: db }),
    stop,
  };

  function kafka(): Promise<KafkaBroker> {
    if (!setup.kafkaHome)
      throw new Error('Kafka is not set up: run `npm run prestart` without KAFKA_BROKERS.');
    const place = { port: ports.kafka, controllerPort: ports.kafkaController };
    return startKafka({ home: setup.kafkaHome, dataDir: path.join(dataDir, 'kafka'), ...place });
  }

  function database(): Promise<Database> {
    if (!setup.engine) {
      throw new Error(
        'The set-up was made with MONGODB_URI, which is not set now: set it, or run `npm run prestart`.',
      );
    }
    return startDatabase({
      choice: setup.engine,
      dataDir: databaseFolder(dataDir),
      port: ports.mongodb,
      fsync: options.fsync,
    });
  }
}
