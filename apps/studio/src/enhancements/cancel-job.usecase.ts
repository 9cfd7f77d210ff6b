import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { cancelJob } from '../jobs/job.domain.js';
import { subjectOf, type EnhancementJob } from './enhancement.domain.js';
import { EnhancementRepository } from './enhancement.repository.js';
import { FindJob } from './find-job.usecase.js';

/**
 * Stops a job that its user does not want any more, also while it runs: the worker notices at its next step.
 * A repeat answers the canceled job.
 *
 * Emits: JobFinished.
 * Fails with: studio.job.not_found, studio.job.not_queued, studio.job.wrong_state.
 */
@UseCase('studio.cancel-job')
export class CancelJob {
  constructor(
    private readonly findJob: FindJob,
    private readonly jobs: EnhancementRepository,
    private readonly clock: Clock,
  ) {}

  async execute(jobId: string, context: Context): Promise<EnhancementJob> {
    const job = await this.findJob.execute(jobId, context);
    if (job.status === 'canceled') return job;
    return this.jobs.save(cancelJob(job, subjectOf(job), this.clock.now()), context);
  }
}
