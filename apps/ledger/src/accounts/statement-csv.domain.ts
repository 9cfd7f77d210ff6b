import { stringify } from 'csv-stringify/sync';
import type { CreditTransaction } from './account.domain.js';

/** A statement as CSV (RFC 4180), for people who open it in a spreadsheet. */
const COLUMNS = ['id', 'createdAt', 'type', 'amount', 'balanceAfter', 'sourceId'] as const;

/** One line of a CSV. A number stays a number, also below zero; a text that looks like a formula is made plain. */
export const csvLine = (cells: readonly (string | number)[]): string =>
  stringify([cells], { record_delimiter: 'windows', quoted_match: /[\r\n]/, escape_formulas: true });

export async function* statementCsv(lines: AsyncIterable<CreditTransaction>): AsyncIterable<string> {
  yield csvLine(COLUMNS);
  for await (const line of lines) {
    yield csvLine(
      COLUMNS.map((column) => (column === 'createdAt' ? line.createdAt.toISOString() : line[column])),
    );
  }
}
