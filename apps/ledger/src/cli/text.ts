import { styleText } from 'node:util';
import type { Finding } from '../audit/books.domain.js';
import type { Step } from '../audit/explain.usecase.js';

export type Paint = (style: 'red' | 'bold', text: string) => string;

/** Where a command writes, and whether in colours. */
export interface Terminal {
  readonly print: (text: string) => void;
  readonly paint: Paint;
}

/** Colours only where a person looks, and nobody asked for none (no-color.org). */
export const terminal: Terminal = {
  print: (text) => console.log(text),
  paint: (style, text) => {
    const isColoured = !process.env['NO_COLOR'] && process.stdout.isTTY === true;
    return isColoured ? styleText(style, text, { validateStream: false }) : text;
  },
};

export const findingLine = ({ account, entryId, problem, expected, found }: Finding, paint: Paint): string =>
  `${paint('red', '✗')} ${account} ${entryId ?? '-'}: ${problem}; expected ${expected}, found ${found}`;

const HEAD = ['time', 'what', 'amount', 'after', 'account', 'of', 'because'];
const NUMBERS = ['amount', 'after'];

/** A story as a table, a line per step. */
export function stepTable(steps: readonly Step[], paint: Paint): string {
  const rows = steps.map(({ at, what, amount, balanceAfter, account, id, note }) => [
    at.toISOString(),
    what,
    String(amount ?? ''),
    String(balanceAfter ?? ''),
    account,
    id,
    note,
  ]);
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        NUMBERS.includes(HEAD[column]!) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return [paint('bold', line(HEAD)), ...rows.map(line)].join('\n');
}
