import type { Usage } from './code.js';
import type { Contract } from './contracts.js';

/** From `docs/events/` to the root. */
const up = '../../';

/** `docs/events/README.md`: every fact on one screen, by topic. */
export function indexPage(contracts: readonly Contract[], usage: Usage): string {
  const byTopic = Map.groupBy(contracts, ({ definition }) => definition.topic);
  const sections = [...byTopic].map(([topic, members]) => {
    const { app, topicOptions } = members[0]!.definition;
    const rows = members.map(({ definition: { type, summary } }) => {
      const readers = usage.consumers
        .filter(({ types }) => types.includes(type))
        .map(({ id }) => `\`${id}\``);
      return `| [${type}](${type}.md) | ${summary} | ${readers.join(', ') || 'nobody yet'} |`;
    });
    return [
      `## ${topic}`,
      '',
      `Owned by \`apps/${app}\`; ${topicOptions.partitions} partitions.`,
      '',
      '| Event | What has happened | Consumers |',
      '| --- | --- | --- |',
      ...rows,
    ].join('\n');
  });
  return [
    '# Events',
    '',
    'Every fact that a service states. Written by `npm run gen` from the contracts and the code; do not edit.',
    '',
    'A fact travels as a CloudEvent in binary mode: attributes in the `ce_…` headers, the data as the value.',
    `The key is the subject, an id of the data, so the facts about one thing keep their order. [AsyncAPI](${up}libs/contracts/asyncapi.yaml)`,
    'has it for machines; `npm run flow -- <event>` prints one of these pages.',
    '',
    sections.join('\n\n'),
    '',
  ].join('\n');
}

/** `docs/events/<type>.md`: one fact, who states it and who reads it. */
export function eventPage({ name, file, definition }: Contract, usage: Usage): string {
  const { type, topic, app, summary, example } = definition;
  const producers = usage.producers.filter((producer) => producer.type === type);
  const consumers = usage.consumers.filter(({ types }) => types.includes(type));
  const list = (lines: readonly string[], none: string): string[] =>
    lines.length > 0 ? lines.map((line) => `- ${line}`) : [none];
  return [
    `# ${name}`,
    '',
    summary,
    '',
    '| | |',
    '| --- | --- |',
    `| type | \`${type}\` |`,
    `| topic | \`${topic}\` |`,
    `| key | \`${definition.subjectField}\` of the data (\`ce_subject\`) |`,
    `| owner | \`apps/${app}\` |`,
    `| contract | [${file}](${up}${file}) |`,
    `| schema | [${type}.json](${up}libs/contracts/schemas/${type}.json) |`,
    `| golden example | [${type}.json](${up}libs/contracts/examples/${type}.json) |`,
    '',
    '## Stated by',
    '',
    // Without line numbers: they would make this page stale at every edit.
    ...list(
      [...new Set(producers.map((at) => `\`${at.inFunction}\` in [${at.file}](${up}${at.file})`))],
      'Nobody yet.',
    ),
    '',
    '## Consumed by',
    '',
    ...list(
      consumers.map((at) => {
        const views =
          at.views.length > 0 ? `, which writes ${at.views.map((v) => `\`${v}\``).join(', ')}` : '';
        return `${at.kind} \`${at.id}\` in [${at.file}](${up}${at.file})${views}`;
      }),
      'Nobody yet.',
    ),
    '',
    '## Example',
    '',
    '```json',
    JSON.stringify(example, null, 2),
    '```',
    '',
  ].join('\n');
}
