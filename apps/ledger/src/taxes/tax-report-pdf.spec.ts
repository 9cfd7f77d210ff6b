import { newId } from '@atelier/kernel';
import { pdfText } from './pdf-text.fixture.js';
import { taxReportPdf } from './tax-report-pdf.js';
import type { TaxLine, TaxReport } from './tax-report.domain.js';

const userId = newId('usr');
const line = (asset: string, gross: number, fees: number, refunds: number, payouts: number): TaxLine => ({
  ...{ asset, gross, fees, refunds, payouts, net: gross - fees - refunds },
});
const closedAt = new Date('2027-01-02T03:04:05Z');
const now = new Date('2027-06-07T08:09:10Z');
const closed: TaxReport = {
  ...{ userId, year: 2026, closedAt },
  lines: [line('credits', 1500, 300, 2000, 300), line('USD', 123456, 0, 5, 90)],
};
const open: TaxReport = { ...closed, closedAt: null };

const bytes = async (report: TaxReport, at = now) => (await taxReportPdf(report, at)).toString('latin1');
const text = async (report: TaxReport) => pdfText(await bytes(report));
const row = (...cells: string[]) => cells.join('\n');

describe('a tax report on paper', () => {
  it('names seller, year and the day it was closed, and has a row per asset', async () => {
    const shown = await text(closed);
    expect(shown).toContain('Tax report 2026');
    expect(shown).toContain(`Seller: ${userId}`);
    expect(shown).toContain('Period: 2026-01-01 to 2026-12-31 (UTC)');
    expect(shown).toContain('Closed on 2027-01-02 03:04:05 UTC');
    expect(shown).toContain(row('Asset', 'Gross', 'Fees', 'Refunds', 'Net', 'Payouts'));
    expect(shown).toContain(row('Credits', '1500', '300', '2000', '-800', '300'));
    expect(shown).toContain(row('USD', '1234.56', '0.00', '0.05', '1234.51', '0.90'));
  });

  it.each([
    ['JPY', 500, '500'],
    ['USD', -5, '-0.05'],
    ['KWD', -1234, '-1.234'],
    ['IDR', 123456, '1234.56'],
    ['EUR', -Number.MAX_SAFE_INTEGER, '-90071992547409.91'],
    ['CLF', 12345, '1.2345'],
  ])('shows money of %s, %s minor units, as %s', async (currency, minorUnits, shown) => {
    const report = { ...closed, lines: [line(currency, minorUnits, 0, 0, 0)] };
    expect((await text(report)).split('\n')).toContain(shown);
  });

  it('says what each column means', async () => {
    const shown = (await text(closed)).replaceAll('\n', ' ');
    for (const meaning of [
      'Asset: What a row',
      'Gross: Credits: what buyers paid',
      'Fees: What the platform',
    ]) {
      expect(shown).toContain(meaning);
    }
    for (const meaning of ['Refunds: Credits:', 'Net: Gross less fees and refunds.', 'Payouts: Credits:']) {
      expect(shown).toContain(meaning);
    }
  });

  it('is the same file whenever a closed report is rendered, dated the day it was closed', async () => {
    const first = await bytes(closed);
    expect(await bytes(closed, new Date('2031-01-01T00:00:00Z'))).toBe(first);
    expect(first).toContain('(D:20270102030405Z)');
    expect(first).toContain('(Tax report 2026)');
    expect(await bytes({ ...closed, lines: [] })).not.toBe(first);
  });

  it('of a year that is not closed says so, and as of when', async () => {
    expect(await text(open)).toContain('Not closed, as of 2027-06-07 08:09:10 UTC');
    expect(await bytes(open)).toContain('(D:20270607080910Z)');
    expect(await bytes(open, closedAt)).not.toBe(await bytes(open));
  });

  it('of a year in which nothing was made says so', async () => {
    const shown = await text({ ...closed, lines: [] });
    expect(shown).toContain('Nothing was sold or paid out in this year.');
    expect(shown).not.toContain(row('Asset', 'Gross'));
    expect(shown).toContain('Page 1 of 1');
  });

  it('goes on under the same headings on numbered pages', async () => {
    const codes = Intl.supportedValuesOf('currency').slice(0, 60);
    const shown = await text({ ...closed, lines: codes.map((code) => line(code, 1, 0, 0, 0)) });
    expect(shown.split(row('Asset', 'Gross', 'Fees'))).toHaveLength(4);
    for (const code of codes) expect(shown.split('\n')).toContain(code);
    for (const page of [1, 2, 3]) expect(shown).toContain(`Page ${page} of 3`);
    expect(shown).not.toContain('of 4');
  });

  it('has a line for credits and one for each currency, and no more', async () => {
    const lines = Array.from({ length: 201 }, () => line('USD', 1, 0, 0, 0));
    expect(await text({ ...closed, lines })).toContain('Page 1 of');
    lines.push(line('USD', 1, 0, 0, 0));
    expect(() => taxReportPdf({ ...closed, lines }, now)).toThrow(RangeError);
  });
});
