import type { CreditTransaction } from './account.domain.js';

/** A statement as CSV (RFC 4180), for people who open it in a spreadsheet. */
const COLUMNS = ['id', 'createdAt', 'type', 'amount', 'balanceAfter', 'sourceId'] as const;

/** A text that a spreadsheet would take for a formula: it must not run on the reader's machine. */
const FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

/** One line of a CSV. A number stays a number, also below zero; a text that looks like a formula is made plain. */
export function csvLine(cells: readonly (string | number)[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const plain = FORMULA.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

export async function* statementCsv(lines: AsyncIterable<CreditTransaction>): AsyncIterable<string> {
  yield csvLine(COLUMNS);
  for await (const line of lines) {
    yield csvLine(
      COLUMNS.map((column) => (column === 'createdAt' ? line.createdAt.toISOString() : line[column])),
    );
  }
}
