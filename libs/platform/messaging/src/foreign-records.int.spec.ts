import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { defineEvent, exampleEnvelope, newId } from '@atelier/kernel';
import { startService, type ServiceUnderTest } from '@atelier/testing';
import { DeadLetters, deadTopic, type DeadLetter } from './dead-letters.js';
import { notebookConfig, NotebookModule, OrderGiven } from './note.fixture.js';

const group = 'notebook.orders';
const foreignHeaders = [
  ['no headers', {}],
  ['no event type', { ce_id: newId('evt'), ce_type: 'an order' }],
] as const;

describe('what no version of ours has stated', () => {
  let service: ServiceUnderTest;
  let letters: DeadLetters;
  beforeAll(async () => {
    service = await startService(NotebookModule, notebookConfig);
    letters = new DeadLetters(service.bus);
  });
  afterAll(() => service.close());

  const metric = async (line: RegExp) => {
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    return Number(line.exec(metrics)?.[1] ?? 0);
  };
  const deadCount = () =>
    metric(/^atelier_consumer_events_total\{[^}]*on-order-given[^}]*outcome="dead"[^}]*\} (\d+)/m);
  const unknownCount = () =>
    metric(/^atelier_consumer_unknown_events_total\{[^}]*group="notebook.orders"[^}]*\} (\d+)/m);
  /** Whether the consumer goes on with the key. */
  const isRead = async (key: string, version: number) => {
    const text = newId('txt');
    await service.publish(exampleEnvelope(OrderGiven, { text }, { subject: key, version }));
    return (await service.database.connection.collection('notes').countDocuments({ text })) === 1;
  };
  /** A record that comes twice: its letter is written, and the answer to that is lost. */
  const letterOf = async (key: string, headers: Record<string, string>): Promise<DeadLetter> => {
    const send = service.bus.send.bind(service.bus);
    let lettersSent = 0;
    const spy = jest.spyOn(service.bus, 'send').mockImplementation(async (batches) => {
      await send(batches);
      if (batches[0]?.topic === deadTopic(group).topic && ++lettersSent === 1)
        throw new Error('the answer is lost');
    });
    try {
      const records = [{ key, value: 'not json at all', headers }];
      await service.bus.send([{ topic: OrderGiven.topic, records }]);
      await service.settled();
    } finally {
      spy.mockRestore();
    }
    expect(lettersSent).toBe(2);
    const all = await letters.list(group);
    expect(all).toHaveLength(1);
    return all[0]!;
  };

  it.each(foreignHeaders)(
    'is one dead letter at once when it has %s, however often it comes, and nothing waits behind it',
    async (_, headers) => {
      const key = newId('ord');
      const before = await deadCount();
      expect(await letterOf(key, headers)).toMatchObject({
        consumer: 'notebook.on-order-given',
        reason: expect.stringContaining('ce_type') as string,
        attempts: 1,
        original: { topic: OrderGiven.topic, offset: expect.stringMatching(/^\d+$/) as string },
        record: { key, value: 'not json at all', headers },
      });
      expect(await deadCount()).toBe(before + 1);
      expect(await isRead(key, 1)).toBe(true);
      await letters.order((await letters.list(group))[0]!, 'drop');
      await service.settled();
      expect(await letters.list(group)).toEqual([]);
    },
  );

  it.each(foreignHeaders)('stays the letter that it was at a replay, with %s', async (_, headers) => {
    const key = newId('ord');
    const letter = await letterOf(key, headers);
    await letters.order(letter, 'replay');
    await service.settled();
    const after = await letters.list(group);
    expect(after.map(({ id }) => id)).toEqual([letter.id]);
    expect(after[0]!.failedAt).not.toBe(letter.failedAt);
    expect(await isRead(key, 1)).toBe(true);
    await letters.order(letter, 'drop');
    await service.settled();
    expect(await letters.list(group)).toEqual([]);
  });

  it('is passed over, counted and told once when it has the form of a fact: a newer producer may state more', async () => {
    const warnings = jest.spyOn(Logger.prototype, 'warn');
    const event = exampleEnvelope(OrderGiven, { text: 'not given' });
    const newer = { ...event, type: 'office.order.cancelled.v1' };
    await service.publish(newer, { ...newer, id: newId('evt') });
    expect(await unknownCount()).toBe(2);
    expect(warnings.mock.calls.map(([line]) => line as string)).toEqual([
      'notebook.orders: office.order.cancelled.v1 on office.order.v1 is passed over: this version has no such contract',
    ]);
    warnings.mockRestore();
    expect(await letters.list(group)).toEqual([]);
    expect(await isRead(event.subject, 2)).toBe(true);
  });

  it('is not what others state on the topic, which this consumer does not take', async () => {
    const before = await unknownCount();
    const { type } = defineEvent({
      type: 'office.order.withdrawn.v1',
      summary: 'Somebody took an order back.',
      data: z.object({}),
      example: {},
    });
    await service.publish({ ...exampleEnvelope(OrderGiven), type });
    expect(await unknownCount()).toBe(before);
    expect(await letters.list(group)).toEqual([]);
  });
});
