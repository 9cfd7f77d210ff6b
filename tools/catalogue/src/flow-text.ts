import type { Usage } from './code.js';
import type { Contract } from './contracts.js';

const SUGGESTIONS_MAX = 3;

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
  const ranked = contracts
    .map(({ name, definition }) => ({
      name,
      distance: Math.min(distance(plain, name.toLowerCase()), distance(plain, definition.type)),
    }))
    .sort((a, b) => a.distance - b.distance);
  return { suggestions: ranked.slice(0, SUGGESTIONS_MAX).map(({ name }) => name) };
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

/** How many letters must change to make one word of the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = from[i - 1] === to[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + change);
    }
    row = next;
  }
  return row[to.length]!;
}
