import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Roles } from '@atelier/auth';
import {
  creditsReport,
  dayRangeQuery,
  type CreditsReport,
  type DayRange,
} from '@atelier/contracts/analytics/daily.api';
import { CreditsDaily } from './credits-daily.projection.js';

@ApiTags('analytics')
@Controller('api/v1/analytics/credits')
export class CreditsController {
  constructor(private readonly credits: CreditsDaily) {}

  /** The whole platform's, so for admins. */
  @Get()
  @ApiOkResponse({ standardSchema: creditsReport })
  @Roles('admin')
  read(@Query({ schema: dayRangeQuery }) range: DayRange): Promise<CreditsReport> {
    return this.credits.report(range);
  }
}
