import { Controller, Get, Headers, HttpCode, Param, Post, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Ctx } from '@atelier/auth';
import { JOB_STATUSES, jobView, type JobView } from '@atelier/contracts/studio/jobs.api';
import { idSchema, type Context } from '@atelier/kernel';
import { pageOf, pageQuery, type Page } from '@atelier/service';
import { isOpen } from '../jobs/job.domain.js';
import { JobStreams } from '../jobs/job-streams.js';
import { CancelJob } from './cancel-job.usecase.js';
import type { EnhancementJob } from './enhancement.domain.js';
import { FindJob } from './find-job.usecase.js';
import { toJobView } from './job-view.js';
import { ListJobs } from './list-jobs.usecase.js';

const listQuery = pageQuery({ status: z.enum(JOB_STATUSES).optional() });
const jobId = idSchema('job');
const VERSION = /^[1-9]\d{0,14}$/;

/** The caller's own jobs. Somebody else's are not there. */
@ApiTags('jobs')
@Controller('api/v1/jobs')
export class JobsController {
  constructor(
    private readonly cancelJob: CancelJob,
    private readonly findJob: FindJob,
    private readonly listJobs: ListJobs,
    private readonly streams: JobStreams<EnhancementJob>,
  ) {}

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(jobView) })
  async list(
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<JobView>> {
    const { items, nextCursor } = await this.listJobs.execute(query, context);
    return { items: items.map(toJobView), nextCursor };
  }

  @Get(':id')
  @ApiOkResponse({ standardSchema: jobView })
  async read(@Param('id', { schema: jobId }) id: string, @Ctx() context: Context): Promise<JobView> {
    return toJobView(await this.findJob.execute(id, context));
  }

  /** Server-sent events `job`, one per change, until the job has ended. 204 when the caller has seen the end. */
  @Get(':id/events')
  @ApiProduces('text/event-stream')
  async events(
    @Param('id', { schema: jobId }) id: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    const job = await this.findJob.execute(id, context);
    const seen = VERSION.test(lastEventId ?? '') ? Number(lastEventId) : 0;
    if (!isOpen(job) && job.version <= seen) {
      // By the specification of server-sent events this tells the browser not to connect again.
      reply.status(204);
      return undefined;
    }
    reply.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    return new StreamableFile(this.streams.open(job, seen, toJobView), {
      type: 'text/event-stream; charset=utf-8',
    });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: jobView })
  async cancel(@Param('id', { schema: jobId }) id: string, @Ctx() context: Context): Promise<JobView> {
    return toJobView(await this.cancelJob.execute(id, context));
  }
}
