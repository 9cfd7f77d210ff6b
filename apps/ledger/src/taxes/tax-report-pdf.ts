import { buffer } from 'node:stream/consumers';
import PDFDocument from 'pdfkit';
import { majorUnitsText } from '@atelier/kernel';
import { CURRENCIES_MAX } from '../earnings/earnings.domain.js';
import type { TaxLine, TaxReport } from './tax-report.domain.js';

/** A report has a line for credits and one per currency. */
const LINES_MAX = 1 + CURRENCIES_MAX;
const LINES_PER_PAGE = 25;
const MARGIN_POINTS = 40;
/** With these, the largest amount that the ledger counts fits on one line of its cell. */
const [TABLE_FONT_POINTS, ASSET_COLUMN_POINTS] = [9, 46];
const [REGULAR, BOLD] = ['Helvetica', 'Helvetica-Bold'];

const COLUMNS = ['asset', 'gross', 'fees', 'refunds', 'net', 'payouts'] as const;
/** What the columns mean, in the words of `TaxLine`. */
const MEANINGS: Readonly<Record<(typeof COLUMNS)[number], string>> = {
  asset:
    'What a row is counted in: credits, in which sales are made, or a currency, in which payouts are made.',
  gross: 'Credits: what buyers paid. Currencies: what credits were turned into.',
  fees: 'What the platform kept; below zero when it gave back more, of sales of an earlier year.',
  refunds: 'Credits: what buyers got back. Currencies: payouts that came back and are credits again.',
  net: 'Gross less fees and refunds.',
  payouts: 'Credits: what was turned into money, less what came back. Currencies: what was paid out.',
};

/**
 * A tax report as a page to print or to hand on. Its bytes depend on nothing but its arguments, and on `now` only
 * while the year is not closed. Text is not compressed, so that another zlib makes no other file.
 *
 * Throws a RangeError for more lines than there are currencies: that is a fault, not a refusal.
 */
export function taxReportPdf(report: TaxReport, now: Date): Promise<Buffer> {
  const { userId, year, lines, closedAt } = report;
  if (lines.length > LINES_MAX) throw new RangeError(`a tax report of ${lines.length} lines`);
  const title = `Tax report ${year}`;
  const pdf = new PDFDocument({
    ...{ size: 'A4', margin: MARGIN_POINTS, font: REGULAR, compress: false, bufferPages: true },
    ...{ lang: 'en', displayTitle: true, pdfVersion: '1.7' },
    info: { Title: title, Author: 'Atelier', Subject: `Seller ${userId}`, CreationDate: closedAt ?? now },
  });
  pdf.font(BOLD, 20).text(title).moveDown(0.5);
  pdf.font(REGULAR, 10).text(`Seller: ${userId}`);
  pdf.text(`Period: ${year}-01-01 to ${year}-12-31 (UTC)`);
  pdf.text(
    closedAt
      ? `Closed on ${timeText(closedAt)}: it does not change any more.`
      : `Not closed, as of ${timeText(now)}: it may still change.`,
  );
  pdf.moveDown();
  if (lines.length === 0) pdf.text('Nothing was sold or paid out in this year.');
  for (let first = 0; first < lines.length; first += LINES_PER_PAGE) {
    if (first > 0) pdf.addPage();
    drawTable(pdf, lines.slice(first, first + LINES_PER_PAGE));
  }
  pdf.moveDown(2);
  for (const column of COLUMNS) {
    pdf.font(BOLD, 9).text(`${headingOf(column)}: `, { continued: true });
    pdf.font(REGULAR).text(MEANINGS[column]).moveDown(0.3);
  }
  numberPages(pdf);
  pdf.end();
  return buffer(pdf);
}

function drawTable(pdf: PDFKit.PDFDocument, lines: readonly TaxLine[]): void {
  const cells = (texts: readonly string[], family: string) =>
    texts.map((text) => ({ text, font: { src: family, size: TABLE_FONT_POINTS } }));
  pdf.table({
    columnStyles: (column) =>
      column === 0 ? { width: ASSET_COLUMN_POINTS } : { align: { x: 'right', y: 'top' } },
    rowStyles: { border: [0, 0, 0.5, 0], padding: [5, 4] },
    data: [
      cells(COLUMNS.map(headingOf), BOLD),
      ...lines.map((line) =>
        cells(
          COLUMNS.map((column) => (column === 'asset' ? assetText(line) : amountText(line[column], line))),
          REGULAR,
        ),
      ),
    ],
  });
}

function numberPages(pdf: PDFKit.PDFDocument): void {
  const { count } = pdf.bufferedPageRange();
  for (let page = 0; page < count; page++) {
    pdf.switchToPage(page);
    // Below the margin, where text would begin another page.
    pdf.page.margins.bottom = 0;
    const y = pdf.page.height - MARGIN_POINTS * 0.7;
    pdf.font(REGULAR, 8).text(`Page ${page + 1} of ${count}`, MARGIN_POINTS, y, {
      width: pdf.page.width - 2 * MARGIN_POINTS,
      align: 'right',
    });
  }
}

const headingOf = (column: string): string => column[0]!.toUpperCase() + column.slice(1);
const assetText = ({ asset }: TaxLine): string => (asset === 'credits' ? 'Credits' : asset);
const timeText = (time: Date): string => `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** Whole credits, or major units. Exact. */
const amountText = (units: number, { asset }: TaxLine): string =>
  asset === 'credits' ? String(units) : majorUnitsText({ amount: BigInt(units), currency: asset });
