import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Kafka, logLevel, type RecordMetadata } from 'kafkajs';
import { startKafka, type KafkaBroker } from '@atelier/kafka';
import { readSetup } from './checkout.js';
import { freePorts } from './ports.js';

const topic = 'broker.survival.v1';
const messageCount = 500;
const batchSize = 50;

describe('the embedded broker', () => {
  let dataDir: string;
  let broker: KafkaBroker;
  let start: () => Promise<KafkaBroker>;
  const clientOf = (brokers: string) => new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });

  beforeAll(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'kafka-'));
    const [port = 0, controllerPort = 0] = await freePorts(2);
    const home = readSetup().kafkaHome!;
    start = () => startKafka({ home, dataDir, port, controllerPort });
    broker = await start();
  });
  afterAll(async () => {
    await broker.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('keeps every acknowledged message when it is killed and started again', async () => {
    const kafka = clientOf(broker.brokers);
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: true });
    await admin.disconnect();

    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const acknowledged: RecordMetadata[] = [];
    for (let from = 0; from < messageCount; from += batchSize) {
      const messages = Array.from({ length: batchSize }, (_, index) => ({
        key: String((from + index) % 7),
        value: String(from + index),
      }));
      acknowledged.push(...(await producer.send({ topic, messages })));
    }
    const firstPid = broker.pid;
    await broker.kill();
    expect(await broker.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await producer.disconnect();

    broker = await start();
    expect(broker.pid).not.toBe(firstPid);
    expect(acknowledged.length).toBeGreaterThan(0);
    const values = await readAll(clientOf(broker.brokers));
    expect(values.sort((a, b) => a - b)).toEqual(Array.from({ length: messageCount }, (_, index) => index));
  });

  it('does not make a topic by a typing error', async () => {
    const producer = clientOf(broker.brokers).producer({
      retry: { retries: 1 },
      allowAutoTopicCreation: false,
    });
    await producer.connect();
    await expect(producer.send({ topic: 'broker.typo.v1', messages: [{ value: 'x' }] })).rejects.toThrow(
      'does not host this topic',
    );
    await producer.disconnect();
  });

  it('says what was wrong when its port is taken, and leaves no process', async () => {
    const [controllerPort = 0] = await freePorts(1);
    const other = mkdtempSync(path.join(tmpdir(), 'kafka-'));
    const port = Number(broker.brokers.split(':')[1]);
    const home = readSetup().kafkaHome!;
    await expect(startKafka({ home, dataDir: other, port, controllerPort })).rejects.toThrow(
      /^Kafka ended with code 1 after \d+\.\d s; see .*broker\.log/,
    );
    expect(readFileSync(path.join(other, 'broker.log'), 'utf8')).toMatch(/in use|BindException/);
    rmSync(other, { recursive: true });
  });

  async function readAll(kafka: Kafka): Promise<number[]> {
    const consumer = kafka.consumer({ groupId: 'survival', maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const values: number[] = [];
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message }) => {
            values.push(Number(message.value));
            if (values.length === messageCount) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return values;
  }
});
