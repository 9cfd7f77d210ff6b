import { Readable } from 'node:stream';
import { DomainError, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { callerOf } from './read-credits.usecase.js';
import { statementCsv } from './statement-csv.domain.js';
import { StatementRepository, type StatementQuery } from './statement.repository.js';

/** The most that one file may have; a spreadsheet opens ten times as many. */
const ROWS_MAX = 100_000;

/**
 * The caller's statement as one CSV file, newest first. It is read from the database as fast as the caller takes
 * it, so that its length is in nobody's memory.
 *
 * Fails with: ledger.account.not_a_user, ledger.statement.too_long.
 */
@UseCase('ledger.export-statement')
export class ExportStatement {
  constructor(private readonly statements: StatementRepository) {}

  async execute(filters: Omit<StatementQuery, 'userId'>, context: Context): Promise<Readable> {
    const query = { ...filters, userId: callerOf(context) };
    if ((await this.statements.count(query, ROWS_MAX + 1)) > ROWS_MAX) throw tooLong();
    return Readable.from(statementCsv(this.statements.stream(query, ROWS_MAX)));
  }
}

const tooLong = () =>
  new DomainError({
    kind: 'unprocessable',
    code: 'ledger.statement.too_long',
    detail: `A file has at most ${ROWS_MAX} lines. Ask for less time with from and to, or for fewer types.`,
    extra: { rowsMax: ROWS_MAX },
  });
