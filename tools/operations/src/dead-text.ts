import type { DeadLetter } from '@atelier/messaging';
import type { Outcome } from './dead-letters.js';
import { table, type Column, type Paint } from './table.js';

const columns: readonly Column<DeadLetter>[] = [
  { title: 'LETTER', of: ({ id }) => id, colour: 'cyan' },
  { title: 'EVENT', of: typeOf },
  { title: 'TRIES', of: ({ attempts }) => String(attempts) },
  { title: 'FAILED AT', of: ({ failedAt }) => failedAt, colour: 'dim' },
  { title: 'REASON', of: ({ reason }) => reason, colour: 'red' },
];

export function listText(letters: readonly DeadLetter[], paint: Paint, widthMax: number): string {
  return letters.length === 0 ? 'There are no dead letters.' : table(letters, columns, paint, widthMax);
}

/** Everything about one letter. The event's data may be personal: it goes to this terminal only. */
export function showText(letter: DeadLetter, paint: Paint): string {
  const { original, record } = letter;
  const lines: readonly (readonly [string, string])[] = [
    ['letter', letter.id],
    ['consumer', letter.consumer],
    ['group', letter.group],
    ['reason', paint('red', letter.reason)],
    ['tries', String(letter.attempts)],
    ['failed at', letter.failedAt],
    ['event', typeOf(letter)],
    ['key', record.key],
    ['read from', `${original.topic}, partition ${original.partition}, offset ${original.offset}`],
    ...Object.entries(record.headers).map(([name, value]) => [`  ${name}`, value] as const),
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  return [
    ...lines.map(([name, value]) => `${paint('dim', name.padEnd(width))}  ${value}`),
    '',
    dataText(record.value),
  ].join('\n');
}

export function outcomeText({ settled, failedAgain, waiting }: Outcome, done: string, paint: Paint): string {
  return [
    ...settled.map(({ id }) => `${paint('cyan', id)} ${done}.`),
    ...failedAgain.map(({ id, reason }) => `${paint('cyan', id)} ${paint('red', 'failed again')}: ${reason}`),
    ...waiting.map(
      ({ id, consumer }) =>
        `${paint('cyan', id)} ${paint('yellow', 'is ordered')}; ${consumer} does it as soon as it runs.`,
    ),
  ].join('\n');
}

function typeOf({ record }: DeadLetter): string {
  return record.headers['ce_type'] ?? '(no event)';
}

function dataText(value: string | null): string {
  try {
    return JSON.stringify(JSON.parse(value ?? 'null'), null, 2);
  } catch {
    return value ?? '';
  }
}
