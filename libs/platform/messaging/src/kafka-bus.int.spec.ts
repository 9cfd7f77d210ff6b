import { Logger } from '@nestjs/common';
import { newId } from '@atelier/kernel';
import { deleteTopics, infrastructure } from '@atelier/testing';
import { eventBusContract } from './event-bus.contract.js';
import { KafkaBus } from './kafka-bus.js';

const brokers = infrastructure().kafkaBrokers.split(',');
const names = newId('contract');
const openBus = () =>
  new KafkaBus({ brokers, clientId: names, sessionTimeoutMs: 10_000, replicationFactor: 1 });

describe('the bus on Kafka', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => deleteTopics((topic) => topic.startsWith(names)));

  eventBusContract(() => Promise.resolve(openBus()), names);
});
