import { Controller, Get, Param, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx } from '@atelier/auth';
import type { Context } from '@atelier/kernel';
import { pageOf, pageQuery, type Page } from '@atelier/service';
import {
  taxReportQuery,
  taxReportView,
  taxYear,
  type TaxReportView,
} from '@atelier/contracts/ledger/tax-reports.api';
import { csvLine } from '../accounts/statement-csv.domain.js';
import { ReadTaxReports } from './read-tax-reports.usecase.js';
import type { TaxReport } from './tax-report.domain.js';

const listQuery = pageQuery();
const COLUMNS = ['asset', 'gross', 'fees', 'refunds', 'net', 'payouts'] as const;

@ApiTags('billing')
@Controller('api/v1/billing/tax-reports')
export class TaxReportsController {
  constructor(private readonly readTaxReports: ReadTaxReports) {}

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(taxReportView) })
  async list(
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<TaxReportView>> {
    const page = await this.readTaxReports.execute(query, context);
    return { ...page, items: page.items.map(toReportView) };
  }

  @Get(':year')
  @ApiProduces('application/json', 'text/csv', 'application/pdf')
  @ApiOkResponse({ standardSchema: taxReportView })
  async read(
    @Param('year', { schema: taxYear }) year: number,
    @Query({ schema: taxReportQuery }) { format }: z.infer<typeof taxReportQuery>,
    @Ctx() context: Context,
  ): Promise<TaxReportView | StreamableFile> {
    if (format === 'pdf') {
      return attachment(year, format, 'application/pdf', await this.readTaxReports.pdf(year, context));
    }
    const report = await this.readTaxReports.one(year, context);
    if (format === 'json') return toReportView(report);
    const rows = report.lines.map((line) => csvLine(COLUMNS.map((column) => line[column])));
    return attachment(
      year,
      format,
      'text/csv; charset=utf-8',
      Buffer.from([csvLine(COLUMNS), ...rows].join('')),
    );
  }
}

function attachment(year: number, format: string, type: string, file: Buffer): StreamableFile {
  const disposition = `attachment; filename="tax-report-${year}.${format}"`;
  return new StreamableFile(file, { type, disposition });
}

function toReportView({ year, lines, closedAt }: TaxReport): TaxReportView {
  return {
    ...{ year, closed: closedAt !== null, closedAt: closedAt?.toISOString() ?? null },
    lines: lines.map(({ asset, gross, fees, refunds, net, payouts }) => ({
      asset,
      ...{ gross: String(gross), fees: String(fees), refunds: String(refunds) },
      ...{ net: String(net), payouts: String(payouts) },
    })),
  };
}
