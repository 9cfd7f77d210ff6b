import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Ctx } from '@atelier/auth';
import {
  dayRangeQuery,
  salesReport,
  type DayRange,
  type SalesReport,
} from '@atelier/contracts/analytics/daily.api';
import type { Context } from '@atelier/kernel';
import { SalesDaily } from './sales-daily.projection.js';

@ApiTags('analytics')
@Controller('api/v1/analytics/sales')
export class SalesController {
  constructor(private readonly sales: SalesDaily) {}

  /** The caller's own sales; nobody asks for somebody else's. */
  @Get()
  @ApiOkResponse({ standardSchema: salesReport })
  read(@Query({ schema: dayRangeQuery }) range: DayRange, @Ctx() context: Context): Promise<SalesReport> {
    return this.sales.report(context.actor.id, range);
  }
}
