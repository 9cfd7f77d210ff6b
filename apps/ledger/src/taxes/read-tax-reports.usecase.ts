import { Clock, type Context, type Id } from '@atelier/kernel';
import { UseCase, type Page } from '@atelier/service';
import { callerOf } from '../accounts/read-credits.usecase.js';
import { EarningsRepository } from '../earnings/earnings.repository.js';
import { userAccount } from '../journal/entry.domain.js';
import { JournalRepository } from '../journal/journal.repository.js';
import {
  accountsOf,
  closedYears,
  isClosed,
  TaxSums,
  yearNotReported,
  yearStart,
  type TaxReport,
} from './tax-report.domain.js';
import { taxReportPdf } from './tax-report-pdf.js';
import { TaxReportRepository } from './tax-report.repository.js';

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
    if (yearStart(year) > this.clock.now()) throw yearNotReported(year);
    return this.year(callerOf(context), year);
  }

  /** One year as a PDF; of a closed year always the same file. */
  async pdf(year: number, context: Context): Promise<Buffer> {
    return taxReportPdf(await this.one(year, context), this.clock.now());
  }

  private async year(userId: Id<'usr'>, year: number): Promise<TaxReport> {
    const stored = await this.reports.find(userId, year);
    if (stored) return stored;
    const sums = new TaxSums(userId);
    const currencies = (await this.earnings.ofUser(userId)).map(({ currency }) => currency);
    const accounts = accountsOf(userId, currencies);
    for await (const entry of this.journal.ofAccounts(accounts, yearStart(year), yearStart(year + 1))) {
      sums.add(entry);
    }
    const now = this.clock.now();
    const report = { userId, year, lines: sums.lines(), closedAt: isClosed(year, now) ? now : null };
    if (!report.closedAt) return report;
    await this.reports.close(report);
    // Somebody else may have closed it a moment earlier: all are shown the same.
    return (await this.reports.find(userId, year)) ?? report;
  }
}
