import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import mongoose from 'mongoose';
import type { Stack } from '@atelier/stack';

const TIMEOUT_MS = 60_000;
const POLL_MS = 400;
/** What is neither in an outbox nor on a topic, such as an e-mail on its way, has ended or come back by then. */
const QUIET_LOOKS = 3;
const OUTBOX = '_outbox';

/**
 * Waits until the last facts have been handled everywhere: nothing in any outbox and nothing before any consumer,
 * several looks in a row.
 */
export async function settled({ mongodbUri, kafkaBrokers }: Stack): Promise<void> {
  const kafka = new Kafka({ brokers: kafkaBrokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const client = new mongoose.mongo.MongoClient(mongodbUri);
  try {
    await admin.connect();
    const deadline = Date.now() + TIMEOUT_MS;
    for (let quiet = 0; quiet < QUIET_LOOKS; await sleep(POLL_MS)) {
      if (Date.now() > deadline)
        throw new Error(`Facts were still on their way after ${TIMEOUT_MS / 1000} s.`);
      quiet = (await anyUnpublished(client)) || (await anyUnhandled(admin)) ? 0 : quiet + 1;
    }
  } finally {
    await Promise.all([admin.disconnect(), client.close()]);
  }
}

async function anyUnpublished(client: mongoose.mongo.MongoClient): Promise<boolean> {
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
  const rows = databases.map(({ name }) => client.db(name).collection(OUTBOX).findOne({}));
  return (await Promise.all(rows)).some((row) => row !== null);
}

async function anyUnhandled(admin: Admin): Promise<boolean> {
  const { groups } = await admin.listGroups();
  const ends = new Map<string, ReturnType<Admin['fetchTopicOffsets']>>();
  for (const { groupId } of groups) {
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId })) {
      ends.set(topic, ends.get(topic) ?? admin.fetchTopicOffsets(topic));
      const highs = new Map((await ends.get(topic)!).map(({ partition, high }) => [partition, Number(high)]));
      if (partitions.some(({ partition, offset }) => +offset >= 0 && highs.get(partition)! > +offset))
        return true;
    }
  }
  return false;
}
