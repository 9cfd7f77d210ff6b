import { Kafka, logLevel } from 'kafkajs';
import { infrastructure } from './environment.js';

/** Deletes topics that a test has made on the real broker, by name. */
export async function deleteTopics(isOurs: (topic: string) => boolean): Promise<void> {
  const brokers = infrastructure().kafkaBrokers.split(',');
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter(isOurs);
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } finally {
    await admin.disconnect();
  }
}
