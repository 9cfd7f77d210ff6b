import type { Usage } from './code.js';
import type { Contract } from './contracts.js';
import { nearest } from './nearest.js';

/** The event that a person means: by name or type, whatever its case; else the ones with the nearest names. */
export function choose(
  wanted: string,
  contracts: readonly Contract[],
): { contract?: Contract; suggestions: readonly string[] } {
  const plain = wanted.toLowerCase();
  const contract = contracts.find(({ name, definition }) =>
    [name.toLowerCase(), definition.type, definition.type.replace(/\.v\d+$/, '')].includes(plain),
  );
  if (contract) return { contract, suggestions: [] };
  const names = contracts.map(({ name, definition }) => ({
    name,
    spellings: [name.toLowerCase(), definition.type],
  }));
  return { suggestions: nearest(wanted, names) };
}

/** The way of one fact through the code, top to bottom. */
export function describe({ name, file, definition }: Contract, usage: Usage): string {
  const { type, topic, summary } = definition;
  const consumers = usage.consumers.filter(({ types }) => types.includes(type));
  const section = (title: string, lines: readonly string[]): string =>
    [title, ...(lines.length > 0 ? lines : ['nobody yet']).map((line) => `  ${line}`)].join('\n');
  return [
    `${name}  ${type}\n${summary}`,
    section('contract', [file]),
    section(
      'stated by',
      usage.producers
        .filter((producer) => producer.type === type)
        .map((at) => `${at.inFunction}  ${at.file}:${at.line}`),
    ),
    section('topic', [topic]),
    ...(['reaction', 'projection'] as const).map((kind) =>
      section(
        kind === 'reaction' ? 'reactions' : 'views',
        consumers
          .filter((consumer) => consumer.kind === kind)
          .map((at) => [at.id, ...at.views, `${at.file}:${at.line}`].join('  ')),
      ),
    ),
  ].join('\n\n');
}

/** All events, one line each. */
export function list(contracts: readonly Contract[]): string {
  const width = Math.max(...contracts.map(({ name }) => name.length));
  return contracts.map(({ name, definition }) => `${name.padEnd(width)}  ${definition.summary}`).join('\n');
}
