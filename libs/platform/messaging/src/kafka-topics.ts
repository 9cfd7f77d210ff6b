import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import type { TopicSpec } from './event-bus.js';

const SETTLE_ATTEMPTS_MAX = 50;
const SETTLE_PAUSE_MS = 100;
/** As Kafka numbers kinds of resources; kafkajs' own name for it is not visible to an ES module. */
const TOPIC = 2;
/** As Kafka numbers where a setting comes from: this topic's own. */
const SET_ON_THE_TOPIC = 1;

const settingsOf = (spec: TopicSpec): Readonly<Record<string, string>> => ({
  'cleanup.policy': spec.cleanup,
  'retention.ms': String(spec.retentionMs),
});

/** Makes topics as the contracts want them: creates those that are missing, alters those that are set otherwise. */
export async function ensureTopics(
  admin: Admin,
  topics: readonly TopicSpec[],
  replicationFactor: number,
): Promise<void> {
  const existing = new Set(await admin.listTopics());
  await create(
    admin,
    topics.filter(({ topic }) => !existing.has(topic)),
    replicationFactor,
  );
  const found = topics.filter(({ topic }) => existing.has(topic));
  if (found.length === 0) return;
  await checkPartitions(admin, found);
  await alter(admin, found);
}

async function create(admin: Admin, missing: readonly TopicSpec[], replicationFactor: number): Promise<void> {
  if (missing.length === 0) return;
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map((spec) => ({
        topic: spec.topic,
        numPartitions: spec.partitions,
        replicationFactor,
        configEntries: Object.entries(settingsOf(spec)).map(([name, value]) => ({ name, value })),
      })),
    });
  } catch (error) {
    // Another service that shares the topic was faster.
    const { type, errors } = error as { type?: string; errors?: { type?: string }[] };
    const kinds = errors?.map((one) => one.type) ?? [type];
    if (kinds.some((kind) => kind !== 'TOPIC_ALREADY_EXISTS')) throw error;
  }
}

async function checkPartitions(admin: Admin, topics: readonly TopicSpec[]): Promise<void> {
  const { topics: found } = await admin.fetchTopicMetadata({ topics: topics.map(({ topic }) => topic) });
  for (const { name, partitions } of found) {
    const wanted = topics.find(({ topic }) => topic === name)!.partitions;
    if (partitions.length < wanted) {
      throw new Error(
        `topic ${name} has ${partitions.length} partitions, the contract wants ${wanted}: adding some moves keys, do it by hand`,
      );
    }
  }
}

async function alter(admin: Admin, topics: readonly TopicSpec[]): Promise<void> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ topic }) => ({ type: TOPIC, name: topic })),
  });
  const changes = resources.flatMap(({ resourceName, configEntries }) => {
    const wanted = settingsOf(topics.find(({ topic }) => topic === resourceName)!);
    const isAsWanted = Object.entries(wanted).every(([name, value]) =>
      configEntries.some((entry) => entry.configName === name && entry.configValue === value),
    );
    if (isAsWanted) return [];
    // What is altered replaces all that is set on the topic: what an operator has set beside ours stays.
    const others = configEntries
      .filter((entry) => Number(entry.configSource) === SET_ON_THE_TOPIC && !(entry.configName in wanted))
      .map((entry) => ({ name: entry.configName, value: entry.configValue }));
    const ours = Object.entries(wanted).map(([name, value]) => ({ name, value }));
    return [{ type: TOPIC, name: resourceName, configEntries: [...others, ...ours] }];
  });
  if (changes.length > 0) await admin.alterConfigs({ validateOnly: false, resources: changes });
}

/**
 * A topic that somebody else has just created is known to the broker's controller before it is known to all its
 * answers. Asks again, within a limit.
 */
export async function whileTopicsSettle<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const isSettling = (error as { type?: string }).type === 'UNKNOWN_TOPIC_OR_PARTITION';
      if (!isSettling || attempt >= SETTLE_ATTEMPTS_MAX) throw error;
      await sleep(SETTLE_PAUSE_MS);
    }
  }
}
