import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Roles } from '@atelier/auth';
import {
  dayRangeQuery,
  jobsReport,
  type DayRange,
  type JobsReport,
} from '@atelier/contracts/analytics/daily.api';
import { JobsDaily } from './jobs-daily.projection.js';

@ApiTags('analytics')
@Controller('api/v1/analytics/jobs')
export class JobsController {
  constructor(private readonly jobs: JobsDaily) {}

  /** The whole platform's, so for admins. */
  @Get()
  @ApiOkResponse({ standardSchema: jobsReport })
  @Roles('admin')
  read(@Query({ schema: dayRangeQuery }) range: DayRange): Promise<JobsReport> {
    return this.jobs.report(range);
  }
}
