import { dataFolder, readSetup } from './checkout.js';
import { startInfrastructure } from './infrastructure.js';
import { takeLock } from './lock.js';
import { describeOwner, portOwners } from './ports.js';
import { untilStopSignal } from './signals.js';
import { infrastructurePorts } from './stack.js';
import { clearState, lockFile, writeState } from './state.js';

/** `infra`: Kafka and the database only, for tests and for apps that are started by hand. */
export async function infra(): Promise<void> {
  const release = takeLock(lockFile, 'infra');
  try {
    refuseBusyPorts();
    const say = (text: string) => console.log(text);
    const infrastructure = await startInfrastructure({
      setup: readSetup(),
      dataDir: dataFolder,
      ports: infrastructurePorts,
      fsync: true,
      say,
    });
    writeState(infrastructure);
    say(`MongoDB  ${infrastructure.mongodbUri}\nKafka    ${infrastructure.kafkaBrokers}`);
    await untilStopSignal();
    say('stopping');
    clearState();
    await infrastructure.stop();
  } finally {
    release();
  }
}

/** @throws Error that names the owner of each port that is taken. */
export function refuseBusyPorts(more: readonly number[] = []): void {
  const ports = [...more];
  if (!process.env['KAFKA_BROKERS'])
    ports.push(infrastructurePorts.kafka, infrastructurePorts.kafkaController);
  if (!process.env['MONGODB_URI']) ports.push(infrastructurePorts.mongodb);
  const taken = portOwners(ports);
  if (taken.length > 0) throw new Error(`${taken.map(describeOwner).join('\n')}\nStop it, then try again.`);
}
