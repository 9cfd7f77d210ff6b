import { stringify } from 'yaml';
import type { ConsumerClass } from './code.js';
import type { Contract } from './contracts.js';

const ASYNCAPI_VERSION = '3.1.0';
const DAY_MS = 86_400_000;

/** The headers of every message: CloudEvents 1.0, Kafka binding, binary mode. */
const headers = {
  type: 'object',
  required: [
    'content-type',
    'ce_specversion',
    'ce_id',
    'ce_type',
    'ce_source',
    'ce_subject',
    'ce_time',
    'ce_version',
    'ce_actor',
    'ce_correlationid',
    'ce_causationid',
  ],
  properties: {
    'content-type': { const: 'application/json' },
    ce_specversion: { const: '1.0' },
    ce_id: { type: 'string', description: 'Unique; a message that is delivered twice has it twice.' },
    ce_type: { type: 'string', description: '<app>.<noun>.<past>.v<major>' },
    ce_source: { type: 'string', description: '/atelier/<app>' },
    ce_subject: { type: 'string', description: 'The id of what it is about; also the key of the record.' },
    ce_time: { type: 'string', format: 'date-time' },
    ce_version: { type: 'string', pattern: '^[1-9][0-9]*$', description: 'Counts the facts of a subject.' },
    ce_actor: { type: 'string', description: 'user:<id>, service:<app> or anonymous:<id>' },
    ce_correlationid: { type: 'string', description: 'One per story, from the click to the last consumer.' },
    ce_causationid: { type: 'string', description: 'The request or message that caused this one.' },
    ce_tenantid: { type: 'string' },
    traceparent: { type: 'string', description: 'W3C Trace Context' },
  },
};

/** The AsyncAPI document of all topics: one channel per topic, who sends and who receives on it. */
export function asyncApi(contracts: readonly Contract[], consumers: readonly ConsumerClass[]): string {
  const byTopic = Map.groupBy(contracts, ({ definition }) => definition.topic);
  const channels = [...byTopic].map(([topic, members]) => {
    const { partitions, retentionMs, cleanup } = members[0]!.definition.topicOptions;
    const channel = {
      address: topic,
      description: `Kept for ${Math.round(retentionMs / DAY_MS)} days; the facts of one key are in order.`,
      messages: Object.fromEntries(
        members.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }]),
      ),
      bindings: {
        kafka: {
          partitions,
          topicConfiguration: { 'cleanup.policy': [cleanup], 'retention.ms': retentionMs },
        },
      },
    };
    return [topic, channel] as const;
  });
  const sends = [...byTopic].map(([topic, members]) => [
    `${members[0]!.definition.app}.sends.${topic}`,
    operation('send', topic, members, `${members[0]!.definition.app} states its facts.`),
  ]);
  const receives = consumers.flatMap((consumer) =>
    [...byTopic].flatMap(([topic, members]) => {
      const wanted = members.filter(({ definition }) => consumer.types.includes(definition.type));
      if (wanted.length === 0) return [];
      const key = topicCountOf(consumer, contracts) > 1 ? `${consumer.id}.${topic}` : consumer.id;
      return [
        [key, operation('receive', topic, wanted, `${consumer.kind} ${consumer.name}`, consumer.group)],
      ];
    }),
  );
  const document = {
    asyncapi: ASYNCAPI_VERSION,
    info: {
      title: 'Atelier',
      version: '1.0.0',
      description: 'The facts that the services of Atelier state. Written by `npm run gen`; do not edit.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: { local: { host: '127.0.0.1:9092', protocol: 'kafka', description: '`npm start`' } },
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries([...sends, ...receives]),
    components: {
      messages: Object.fromEntries(contracts.map((contract) => [contract.name, messageOf(contract)])),
      messageTraits: { cloudEvent: { headers } },
    },
  };
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

const messageOf = ({ name, definition: { type, summary, example } }: Contract) => ({
  name: type,
  title: name,
  summary,
  contentType: 'application/json',
  traits: [{ $ref: '#/components/messageTraits/cloudEvent' }],
  payload: {
    schemaFormat: 'application/schema+json;version=draft-2020-12',
    schema: { $ref: `./schemas/${type}.json` },
  },
  examples: [{ payload: example as unknown }],
});

const operation = (
  action: 'send' | 'receive',
  topic: string,
  members: readonly Contract[],
  summary: string,
  group?: string,
) => ({
  action,
  summary,
  channel: { $ref: `#/channels/${topic}` },
  messages: members.map(({ name }) => ({ $ref: `#/channels/${topic}/messages/${name}` })),
  ...(group && { bindings: { kafka: { groupId: { type: 'string', const: group } } } }),
});

const topicCountOf = ({ types }: ConsumerClass, contracts: readonly Contract[]): number =>
  new Set(contracts.filter((c) => types.includes(c.definition.type)).map((c) => c.definition.topic)).size;
