import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { GenericContainer, getContainerRuntimeClient, Wait, type StartedTestContainer } from 'testcontainers';
import { exampleEnvelope } from '@atelier/kernel';
import { eventually, startService, type ServiceUnderTest } from '@atelier/testing';
import { notebookConfig, NotebookModule, NoteWritten, OrderGiven } from './note.fixture.js';
import { toRecord } from './message.js';

const MONGO_IMAGE = 'mongo:8.0.4';
const KAFKA_IMAGE = 'apache/kafka:4.3.1';
const START_TIMEOUT_MS = 180_000;

/** A container engine, if one answers here. The official images prove that nothing hangs on the embedded engines. */
const hasEngine = await getContainerRuntimeClient().then(
  () => true,
  () => false,
);
if (!hasEngine) console.info('No container engine answers here: the specs on official images are skipped.');

(hasEngine ? describe : describe.skip)(
  'the messaging runtime on the official images of MongoDB and Kafka',
  () => {
    let containers: StartedTestContainer[] = [];
    let service: ServiceUnderTest;

    beforeAll(async () => {
      const kafkaPort = await freePort();
      const [mongo, kafka] = await Promise.all([startMongo(), startKafka(kafkaPort)]);
      containers = [mongo, kafka];
      const mongodbUri = `mongodb://${mongo.getHost()}:${mongo.getMappedPort(27_017)}/?directConnection=true`;
      service = await startService(
        NotebookModule,
        notebookConfig,
        { MONGODB_URI: mongodbUri, KAFKA_BROKERS: `${kafka.getHost()}:${kafkaPort}` },
        { bus: 'kafka' },
      );
    }, START_TIMEOUT_MS);
    afterAll(async () => {
      await service?.close();
      await Promise.all(containers.map((container) => container.stop()));
    }, START_TIMEOUT_MS);

    it('handles a fact that is delivered twice once, and states its own', async () => {
      const event = exampleEnvelope(OrderGiven, { text: 'in a container' });
      const records = [toRecord(event), toRecord(event)];
      await service.bus.send([{ topic: OrderGiven.topic, records }]);
      await eventually(async () => {
        const notes = service.database.connection.collection('notes');
        expect(await notes.countDocuments({ text: 'in a container' })).toBe(1);
      });
      const facts = await service.facts(NoteWritten);
      expect(facts.filter(({ data }) => data.text === 'in a container')).toHaveLength(1);
    });
  },
);

async function startMongo(): Promise<StartedTestContainer> {
  const mongo = await new GenericContainer(MONGO_IMAGE)
    .withCommand(['--replSet', 'rs0', '--bind_ip_all'])
    .withExposedPorts(27_017)
    .withWaitStrategy(Wait.forLogMessage(/Waiting for connections/i))
    .start();
  const initiate =
    "rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: 'localhost:27017' }] }); while (!db.hello().isWritablePrimary) sleep(100)";
  const { exitCode, output } = await mongo.exec(['mongosh', '--quiet', '--eval', initiate]);
  if (exitCode !== 0) throw new Error(`the replica set could not be made: ${output}`);
  return mongo;
}

/** The advertised address must be the one outside, so the port is the same on both sides. */
function startKafka(port: number): Promise<StartedTestContainer> {
  return new GenericContainer(KAFKA_IMAGE)
    .withExposedPorts({ container: port, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: `PLAINTEXT://:${port},CONTROLLER://:9093`,
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://localhost:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .start();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
