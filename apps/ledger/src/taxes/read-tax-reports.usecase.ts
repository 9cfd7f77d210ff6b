import { Clock, type Context, type Id } from '@atelier/kernel';
import { UseCase, type Page } from '@atelier/service';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { StatementRepository } from '../accounts/statement.repository.js';
import { EarningsRepository } from '../earnings/earnings.repository.js';
import { earningsAccount, userAccount, type ChainLink, type Entry } from '../journal/entry.domain.js';
import { JournalRepository } from '../journal/journal.repository.js';
import {
  closedYears,
  isClosed,
  TaxSums,
  yearNotReported,
  yearStart,
  type TaxReport,
} from './tax-report.domain.js';
import { taxReportPdf } from './tax-report-pdf.js';
import { TaxReportRepository } from './tax-report.repository.js';

/** Entries that are in memory at a time. */
const ENTRIES_PER_READ = 500;

/**
 * The caller's tax reports. A year is computed from the journal, entry by entry; once it is closed it is kept, and
 * computed no more.
 *
 * Fails with: ledger.account.not_a_user, ledger.tax_report.not_found, platform.cursor.invalid.
 */
@UseCase('ledger.read-tax-reports')
export class ReadTaxReports {
  constructor(
    private readonly reports: TaxReportRepository,
    private readonly journal: JournalRepository,
    private readonly statements: StatementRepository,
    private readonly earnings: EarningsRepository,
    private readonly clock: Clock,
  ) {}

  /** The closed years, the newest first. */
  async execute(
    { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
    context: Context,
  ): Promise<Page<TaxReport>> {
    const userId = callerOf(context);
    const firstEntryAt = await this.journal.beginningOf(userAccount(userId));
    if (!firstEntryAt) return { items: [], nextCursor: null };
    const known = await this.reports.yearsOf(userId);
    for (const year of closedYears(firstEntryAt, this.clock.now())) {
      if (!known.has(year)) await this.year(userId, year);
    }
    return this.reports.page(userId, limit, cursor);
  }

  /** One year, also the one that is not over yet. */
  async one(year: number, context: Context): Promise<TaxReport> {
    const userId = callerOf(context);
    const firstEntryAt = await this.journal.beginningOf(userAccount(userId));
    const hasBegun = yearStart(year) <= this.clock.now();
    if (!hasBegun || !firstEntryAt || firstEntryAt >= yearStart(year + 1)) throw yearNotReported(year);
    return this.year(userId, year);
  }

  /** One year as a PDF; of a closed year always the same file. */
  async pdf(year: number, context: Context): Promise<Buffer> {
    return taxReportPdf(await this.one(year, context), this.clock.now());
  }

  private async year(userId: Id<'usr'>, year: number): Promise<TaxReport> {
    const stored = await this.reports.find(userId, year);
    if (stored) return stored;
    const sums = new TaxSums();
    await this.addCredits(sums, userId, year);
    await this.addEarnings(sums, userId, year);
    const now = this.clock.now();
    const report = { userId, year, lines: sums.lines(), closedAt: isClosed(year, now) ? now : null };
    if (!report.closedAt) return report;
    await this.reports.close(report);
    // Somebody else may have closed it a moment earlier: all are shown the same.
    return (await this.reports.find(userId, year)) ?? report;
  }
  /** The statement tells in one step where the year begins and ends in the chain: only its entries are read. */
  private async addCredits(sums: TaxSums, userId: Id<'usr'>, year: number): Promise<void> {
    const [after = 0, to = 0] = await Promise.all(
      [yearStart(year), yearStart(year + 1)].map(async (end) => {
        const line = await this.statements.latestAt(userId, new Date(end.getTime() - 1));
        return line?.sequence;
      }),
    );
    const account = userAccount(userId);
    for await (const entry of this.chain(account, after, to)) sums.add(account, entry);
  }

  /** Money has no statement, and few entries, two for a payout: all of them are looked at. */
  private async addEarnings(sums: TaxSums, userId: Id<'usr'>, year: number): Promise<void> {
    for (const { currency, sequence } of await this.earnings.ofUser(userId)) {
      const account = earningsAccount(userId, currency);
      for await (const entry of this.chain(account, 0, sequence)) {
        if (entry.createdAt >= yearStart(year) && entry.createdAt < yearStart(year + 1))
          sums.add(account, entry);
      }
    }
  }

  private async *chain(account: ChainLink['account'], after: number, to: number): AsyncIterable<Entry> {
    for (let read = after; read < to; read += ENTRIES_PER_READ)
      yield* await this.journal.ofAccountChain(account, read, Math.min(read + ENTRIES_PER_READ, to));
  }
}
