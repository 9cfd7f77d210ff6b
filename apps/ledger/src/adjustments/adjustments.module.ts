import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { JournalModule } from '../journal/journal.module.js';
import { AdjustmentRepository } from './adjustment.repository.js';
import { AdjustmentsController } from './adjustments.controller.js';
import { DecideAdjustment } from './decide-adjustment.usecase.js';
import { ReadAdjustments } from './read-adjustments.usecase.js';
import { RequestAdjustment } from './request-adjustment.usecase.js';

@Module({
  imports: [AccountsModule, JournalModule],
  controllers: [AdjustmentsController],
  providers: [AdjustmentRepository, RequestAdjustment, DecideAdjustment, ReadAdjustments],
})
export class AdjustmentsModule {}
