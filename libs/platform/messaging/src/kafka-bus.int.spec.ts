import { jest } from '@jest/globals';
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

  it('sets no timer for a time that is over, so that an idle connection wakes nobody', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const bus = openBus();
    try {
      await bus.topics();
      const overdue = timers.mock.calls.filter(([, ms]) => ms !== undefined && ms < 0);
      expect(overdue).toEqual([]);
    } finally {
      timers.mockRestore();
      await bus.close();
    }
  });
});
