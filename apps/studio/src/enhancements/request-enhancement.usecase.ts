import { Clock, DomainError, idFor, type Context } from '@atelier/kernel';
import type { EnhancementTier } from '@atelier/contracts/studio/jobs.api';
import { UseCase } from '@atelier/service';
import { FindImage } from '../images/find-image.usecase.js';
import { JobBell } from '../jobs/job-bell.js';
import { isIntent, queueJob, refuseJob } from '../jobs/job.domain.js';
import { ownerOf } from '../owner.js';
import {
  OPEN_JOBS_PER_USER_MAX,
  requestEnhancement,
  subjectOf,
  tooManyOpen,
  wasOneTooMany,
  type EnhancementJob,
} from './enhancement.domain.js';
import { EnhancementRepository } from './enhancement.repository.js';
import { LedgerClient } from './ledger.client.js';

export interface RequestEnhancementInput {
  readonly imageId: string;
  readonly tier: EnhancementTier;
}

/**
 * Asks for a better picture. The intent is stored before its credits are held, so that whatever dies in between,
 * either a repeat of the request goes on with it or the sweeper gives the credits back.
 *
 * Emits: JobRequested.
 * Fails with: studio.image.not_found, studio.job.too_many_open, ledger.credits.insufficient, ledger.unavailable.
 */
@UseCase('studio.request-enhancement')
export class RequestEnhancement {
  constructor(
    private readonly findImage: FindImage,
    private readonly jobs: EnhancementRepository,
    private readonly ledger: LedgerClient,
    private readonly bell: JobBell,
    private readonly clock: Clock,
  ) {}

  async execute({ imageId, tier }: RequestEnhancementInput, context: Context): Promise<EnhancementJob> {
    const userId = ownerOf(context);
    const image = await this.findImage.execute(imageId, userId);
    const id = idFor(context, 'job');
    const openJobs = await this.jobs.countOpenBeside(id, userId);
    const intent = requestEnhancement({ id, userId, image, tier, openJobs }, context, this.clock.now());
    let job = await this.jobs.save(intent, context);
    // The repeat of a request that was refused for now begins anew.
    if (wasOneTooMany(job))
      job = await this.jobs.save({ ...intent, state: { ...intent.state, version: job.version } }, context);
    // The repeat of a request that got through.
    if (!isIntent(job)) return job;
    // Again: of many at once, each had counted before the others were there. Now whoever is last sees all of them.
    if ((await this.jobs.countOpenBeside(id, userId)) >= OPEN_JOBS_PER_USER_MAX)
      await this.refuse(job, tooManyOpen(), context);
    await this.holdCredits(job, context);
    const queued = await this.jobs.save(queueJob(job, subjectOf(job), this.clock.now()), context);
    this.bell.ring();
    return queued;
  }

  private async holdCredits(job: EnhancementJob, context: Context): Promise<void> {
    const { holdId } = job;
    if (holdId === null) return;
    try {
      await this.ledger.placeHold({ ...job, holdId }, context);
    } catch (error) {
      // Without an answer the hold may stand: the intent stays for a repeat, else for the sweeper.
      if (!(error instanceof DomainError) || error.kind === 'unavailable') throw error;
      await this.refuse(job, error, context);
    }
  }

  private async refuse(job: EnhancementJob, error: DomainError, context: Context): Promise<never> {
    const failure = { code: error.code, detail: error.message, permanent: true };
    await this.jobs.save(refuseJob(job, failure, this.clock.now()), context);
    throw error;
  }
}
