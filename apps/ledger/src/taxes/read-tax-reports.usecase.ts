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
  type TaxLine,
  type TaxReport,
} from './tax-report.domain.js';
import { taxReportPdf } from './tax-report-pdf.js';
import { TaxReportRepository } from './tax-report.repository.js';

/** Entries that are in memory at a time. */
const ENTRIES_PER_READ = 500;

/** A part of an account's chain, behind one place and up to another. */
interface Chain {
  readonly asset: TaxLine['asset'];
  readonly account: ChainLink['account'];
  readonly after: number;
  readonly to: number;
  readonly read: (after: number, to: number) => Promise<Entry[]>;
}

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
    for (const { asset, account, after, to, read } of await this.chainsOf(userId, year)) {
      for (let at = Math.max(after, countedTo[asset] ?? 0); at < to; at += ENTRIES_PER_READ) {
        for (const entry of await read(at, Math.min(at + ENTRIES_PER_READ, to))) {
          // Money has no statement that tells where a year begins in its chain.
          if (asset === 'credits' || isOfYear(year, entry)) sums.add(account, entry);
          counted++;
        }
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
  private async chainsOf(userId: Id<'usr'>, year: number): Promise<Chain[]> {
    // The statement tells in one step where the year begins and ends.
    const placeBefore = async (time: Date) =>
      (await this.statements.latestAt(userId, new Date(time.getTime() - 1)))?.sequence ?? 0;
    const [after, to, earnings] = await Promise.all([
      placeBefore(yearStart(year)),
      placeBefore(yearStart(year + 1)),
      this.earnings.ofUser(userId),
    ]);
    const credits: Chain = {
      ...{ asset: 'credits', account: userAccount(userId), after, to },
      read: (from, until) => this.ofStatement(userId, from, until),
    };
    const money = earnings.map(({ currency, sequence }): Chain => {
      const account = earningsAccount(userId, currency);
      const read: Chain['read'] = (from, until) => this.journal.ofAccountChain(account, from, until);
      return { asset: currency, account, after: 0, to: sequence, read };
    });
    return [credits, ...money];
  }

  /** By way of the statement: a database that bounds an index by its first field would read the whole chain for a part. */
  private async ofStatement(userId: Id<'usr'>, after: number, to: number): Promise<Entry[]> {
    const lines = await this.statements.ofChain(userId, after, to);
    const entries = await this.journal.byIds(lines.map(({ entryId }) => entryId));
    if (entries.length < to - after)
      throw new Error(
        `${userId}: between ${after} and ${to} there are ${entries.length} entries; verify the books`,
      );
    return entries;
  }
}
