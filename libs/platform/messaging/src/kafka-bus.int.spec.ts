import { createRequire } from 'node:module';
import { jest } from '@jest/globals';
import { ConfigResourceTypes, Kafka } from 'kafkajs';
import { Logger } from '@nestjs/common';
import { newId } from '@atelier/kernel';
import { deleteTopics, eventually, infrastructure } from '@atelier/testing';
import type { ReceivedRecord } from './event-bus.js';
import { eventBusContract } from './event-bus.contract.js';
import { KafkaBus } from './kafka-bus.js';

const brokers = infrastructure().kafkaBrokers.split(',');
const names = newId('contract');
const openBus = () =>
  new KafkaBus({
    brokers,
    clientId: names,
    sessionTimeoutMs: 10_000,
    replicationFactor: 1,
  });
/** How kafkajs asks a broker to append. */
interface Appends {
  produce(request: unknown): Promise<unknown>;
}

describe('the bus on Kafka', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => deleteTopics((topic) => topic.startsWith(names)));

  eventBusContract(() => Promise.resolve(openBus()), names);

  it('loses no record after an answer was lost, and goes on (promise 18)', async () => {
    const require = createRequire(import.meta.url);
    const { prototype } = require('kafkajs/src/broker/index.js') as { prototype: Appends };
    const append = Reflect.get<Appends, 'produce'>(prototype, 'produce');
    const bus = openBus();
    const topic = `${names}.${newId('topic')}`;
    const send = (value: string) => bus.send([{ topic, records: [{ key: 'one', value, headers: {} }] }]);
    try {
      await bus.ensureTopics([{ topic, partitions: 1, retentionMs: 3_600_000, cleanup: 'delete' }]);
      await send('a');
      const produce = jest.spyOn(prototype, 'produce');
      produce.mockImplementationOnce(async function (this: Appends, request) {
        await append.call(this, request);
        throw new Error('the answer is lost');
      });
      // Two at once: the second must not go where the first may have been.
      const outcomes = await Promise.allSettled([send('b'), send('c')]);
      produce.mockRestore();
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
      await send('b');
      await send('d');
      const read: ReceivedRecord[] = [];
      await bus.read(topic, (record) => read.push(record));
      expect(read.map(({ value }) => value)).toEqual(['a', 'b', 'c', 'b', 'd']);
    } finally {
      await bus.close();
    }
  });

  it('tells where a topic begins once its oldest records are deleted', async () => {
    const bus = openBus();
    const topic = `${names}.${newId('topic')}`;
    const admin = new Kafka({ brokers }).admin();
    await admin.connect();
    try {
      await bus.ensureTopics([{ topic, partitions: 1, retentionMs: 3_600_000, cleanup: 'delete' }]);
      const records = ['a', 'b', 'c'].map((value) => ({ key: 'one', value, headers: {} }));
      await bus.send([{ topic, records }]);
      expect(await bus.offsets(names, [topic])).toMatchObject([{ start: 0n, end: 3n }]);
      await admin.fetchTopicMetadata({ topics: [topic] });
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
      expect(await bus.offsets(names, [topic])).toMatchObject([{ start: 2n, end: 3n }]);
    } finally {
      await admin.disconnect();
      await bus.close();
    }
  });

  it('gives a topic the retention and the cleanup of its contract, also later, and leaves what else is set', async () => {
    const bus = openBus();
    const topic = `${names}.${newId('topic')}`;
    const admin = new Kafka({ brokers }).admin();
    await admin.connect();
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
    const settings = async () => {
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
      return Object.fromEntries(
        resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]),
      );
    };
    try {
      await bus.ensureTopics([{ topic, partitions: 1, retentionMs: 3_600_000, cleanup: 'delete' }]);
      const configEntries = [
        { name: 'cleanup.policy', value: 'delete' },
        { name: 'max.message.bytes', value: '2000000' },
      ];
      await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] });
      // The broker answers by what it has heard of the controller, which is a little later.
      await eventually(async () =>
        expect(await settings()).toMatchObject({ 'max.message.bytes': '2000000' }),
      );
      await bus.ensureTopics([{ topic, partitions: 1, retentionMs: 7_200_000, cleanup: 'compact' }]);
      await eventually(async () =>
        expect(await settings()).toMatchObject({
          'retention.ms': '7200000',
          'cleanup.policy': 'compact',
          'max.message.bytes': '2000000',
        }),
      );
    } finally {
      await admin.disconnect();
      await bus.close();
    }
  });

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
