import type { Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { jobNotFound } from '../jobs/job.domain.js';
import { ownerOf } from '../owner.js';
import type { EnhancementJob } from './enhancement.domain.js';
import { EnhancementRepository } from './enhancement.repository.js';

/**
 * A job of the caller's own.
 *
 * Fails with: studio.job.not_found.
 */
@UseCase('studio.find-job')
export class FindJob {
  constructor(private readonly jobs: EnhancementRepository) {}

  async execute(jobId: string, context: Context): Promise<EnhancementJob> {
    const job = await this.jobs.load(jobId, { userId: ownerOf(context) });
    if (!job) throw jobNotFound(jobId);
    return job;
  }
}
