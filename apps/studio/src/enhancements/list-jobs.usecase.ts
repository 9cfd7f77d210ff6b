import type { JobStatus } from '@atelier/contracts/studio/jobs.api';
import type { Context, Page } from '@atelier/kernel';
import type { PageRequest } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { ownerOf } from '../owner.js';
import type { EnhancementJob } from './enhancement.domain.js';
import { EnhancementRepository } from './enhancement.repository.js';

/** The caller's jobs, newest first; of one status when it is given. */
@UseCase('studio.list-jobs')
export class ListJobs {
  constructor(private readonly jobs: EnhancementRepository) {}

  execute(
    { status, ...page }: PageRequest<EnhancementJob> & { readonly status?: JobStatus | undefined },
    context: Context,
  ): Promise<Page<EnhancementJob>> {
    return this.jobs.history(ownerOf(context), status, page);
  }
}
