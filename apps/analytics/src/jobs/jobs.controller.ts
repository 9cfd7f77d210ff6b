import { Controller, Get, Query } from '@nestjs/common';
import { Roles } from '@atelier/auth';
import { dayRangeQuery, type DayRange, type JobsReport } from '@atelier/contracts/analytics/daily.api';
import { JobsDaily } from './jobs-daily.projection.js';

@Controller('api/v1/analytics/jobs')
export class JobsController {
  constructor(private readonly jobs: JobsDaily) {}

  /** The whole platform's, so for admins. */
  @Get()
  @Roles('admin')
  read(@Query({ schema: dayRangeQuery }) range: DayRange): Promise<JobsReport> {
    return this.jobs.report(range);
  }
}
