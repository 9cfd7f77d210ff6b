import { Kafka, logLevel } from 'kafkajs';
import { Logger } from '@nestjs/common';
import { newId } from '@atelier/kernel';
import { infrastructure } from '@atelier/testing';
import { eventBusContract } from './event-bus.contract.js';
import { KafkaBus } from './kafka-bus.js';

const brokers = infrastructure().kafkaBrokers.split(',');
const names = newId('contract');
const openBus = () =>
  new KafkaBus({ brokers, clientId: names, sessionTimeoutMs: 10_000, replicationFactor: 1 });

describe('the bus on Kafka', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(async () => {
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(names));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    await admin.disconnect();
  });

  eventBusContract(() => Promise.resolve(openBus()), names);
});
