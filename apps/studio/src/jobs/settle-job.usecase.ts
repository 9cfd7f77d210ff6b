import type { Change, Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { jobNotFound, type Job } from './job.domain.js';
import type { JobRepository } from './job.repository.js';

/**
 * Loads a job, decides and saves: what workers and the sweeper do to jobs that their users do not see to.
 *
 * Emits: JobFinished, when the decision ends the job.
 * Fails with: studio.job.not_found, and what the decision refuses.
 */
@UseCase('studio.settle-job')
export class SettleJob {
  async execute<J extends Job>(
    jobs: JobRepository<J>,
    jobId: string,
    decide: (job: J) => Change<J>,
    context: Context,
  ): Promise<J> {
    const job = await jobs.loadAcrossOwners(jobId, 'system');
    if (!job) throw jobNotFound(jobId);
    return jobs.save(decide(job), context);
  }
}
