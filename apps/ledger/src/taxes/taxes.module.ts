import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { EarningsModule } from '../earnings/earnings.module.js';
import { JournalModule } from '../journal/journal.module.js';
import { ReadTaxReports } from './read-tax-reports.usecase.js';
import { TaxReportRepository } from './tax-report.repository.js';
import { TaxReportsController } from './tax-reports.controller.js';

@Module({
  imports: [AccountsModule, EarningsModule, JournalModule],
  controllers: [TaxReportsController],
  providers: [ReadTaxReports, TaxReportRepository],
})
export class TaxesModule {}
