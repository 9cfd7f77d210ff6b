import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { brokerSettings, jvmFlags } from '../setup.mjs';
import { startReady, type ReadyProcess } from './ready-process.js';

export { startReady, type Exit, type ReadyProcess } from './ready-process.js';

/** A start after kill -9 recovers the log first; 60 s is far above what a laptop's data needs. */
const readyMsMax = 60_000;
const stopMsMax = 15_000;

export interface KafkaOptions {
  /** The folder that `ensureKafka` answered. */
  home: string;
  /** Holds the topics and `broker.log`; kept from one start to the next. */
  dataDir: string;
  port: number;
  controllerPort: number;
}

export interface KafkaBroker extends ReadyProcess {
  /** `host:port`, as KAFKA_BROKERS wants it. */
  readonly brokers: string;
}

/**
 * Starts the broker on 127.0.0.1 and resolves when it serves. The data folder may stem from a run that was
 * killed: everything that was acknowledged is there.
 */
export async function startKafka(options: KafkaOptions): Promise<KafkaBroker> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const classpath = await readFile(path.join(options.home, 'classpath'), 'utf8');
  const logDir = path.join(options.dataDir, 'log');
  const process = await startReady({
    name: 'Kafka',
    command: 'java',
    args: [
      ...jvmFlags,
      // A missing or foreign archive only costs a second of start-up time.
      '-XX:SharedArchiveFile=kafka.jsa',
      '-Xshare:auto',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      classpath,
      'EmbeddedKafka',
      path.join(import.meta.dirname, '../server.properties'),
      ...brokerSettings({ logDir, port: options.port, controllerPort: options.controllerPort }),
    ],
    cwd: options.home,
    env: globalThis.process.env,
    logFile: path.join(options.dataDir, 'broker.log'),
    readyMsMax,
    stopMsMax,
  });
  return { ...process, brokers: `127.0.0.1:${options.port}` };
}
