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
  isOfYear,
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
 * The caller's tax reports. A year is counted from the journal, entry by entry, each time from where it was left; once
 * it is closed it changes no more.
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
    if (stored?.closedAt) return stored;
    const sums = new TaxSums(stored?.lines);
    const countedTo = { ...stored?.countedTo };
    let counted = 0;
    for (const { asset, account, after, to } of await this.chainsOf(userId, year)) {
      for await (const entry of this.chain(account, Math.max(after, countedTo[asset] ?? 0), to)) {
        // Money has no statement that tells where a year begins in its chain.
        if (asset === 'credits' || isOfYear(year, entry)) sums.add(account, entry);
        counted++;
      }
      countedTo[asset] = to;
    }
    const now = this.clock.now();
    const report = {
      userId,
      year,
      lines: sums.lines(),
      closedAt: isClosed(year, now) ? now : null,
      countedTo,
    };
    if (counted > 0 || report.closedAt) await this.reports.keep(report);
    // Somebody else may have closed it a moment earlier: all are shown the same.
    return report.closedAt ? ((await this.reports.find(userId, year)) ?? report) : report;
  }

  /** The accounts that a report counts, each with the part of its chain that may be of the year. */
  private async chainsOf(userId: Id<'usr'>, year: number) {
    // The statement tells in one step where the year begins and ends.
    const placeBefore = async (time: Date) =>
      (await this.statements.latestAt(userId, new Date(time.getTime() - 1)))?.sequence ?? 0;
    const [after, to, earnings] = await Promise.all([
      placeBefore(yearStart(year)),
      placeBefore(yearStart(year + 1)),
      this.earnings.ofUser(userId),
    ]);
    return [
      { asset: 'credits', account: userAccount(userId), after, to },
      ...earnings.map(({ currency, sequence }) => ({
        ...{ asset: currency, account: earningsAccount(userId, currency), after: 0, to: sequence },
      })),
    ];
  }

  private async *chain(account: ChainLink['account'], after: number, to: number): AsyncIterable<Entry> {
    for (let read = after; read < to; read += ENTRIES_PER_READ)
      yield* await this.journal.ofAccountChain(account, read, Math.min(read + ENTRIES_PER_READ, to));
  }
}
