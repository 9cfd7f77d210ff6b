import type { OnApplicationBootstrap } from '@nestjs/common';
import { type Change, type Clock, DomainError, newId } from '@atelier/kernel';
import { type Logger, runInContext } from '@atelier/observability';
import { BackgroundLoop, type ShutdownSequence } from '@atelier/service';
import type { JobBell } from './job-bell.js';
import {
  contextOf,
  failAttempt,
  failJob,
  isIntent,
  type Job,
  type JobFailure,
  LeaseLost,
} from './job.domain.js';
import type { JobRepository } from './job.repository.js';
import type { SettleJob } from './settle-job.usecase.js';

export interface JobSweeperLimits {
  readonly sweepMs: number;
  readonly intentTtlMs: number;
  readonly deadlineMs: number;
  readonly backoffBaseMs: number;
}

export interface JobSweeperParts<J extends Job> {
  readonly jobs: JobRepository<J>;
  readonly bell: JobBell;
  readonly settle: SettleJob;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly shutdown: ShutdownSequence;
  readonly limits: JobSweeperLimits;
}

const BATCH_MAX = 100;

/**
 * Sees to jobs that nobody sees to: whose worker died, whose hold was never answered, that waited too long. It
 * needs no lease of its own: when two replicas sweep the same job, the version lets one of them decide.
 */
export class JobSweeper<J extends Job> implements OnApplicationBootstrap {
  private readonly loop: BackgroundLoop;

  constructor(private readonly parts: JobSweeperParts<J>) {
    const { shutdown, limits } = parts;
    this.loop = new BackgroundLoop('job sweeper', limits.sweepMs, () => this.sweep());
    shutdown.add('jobs', 'job sweeper', () => this.loop.stop());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  /** One round. Whether there may be more jobs than it took. */
  async sweep(): Promise<boolean> {
    const { jobs, bell, clock, limits } = this.parts;
    const now = clock.now();
    const intentsBefore = new Date(now.getTime() - limits.intentTtlMs);
    const jobsBefore = new Date(now.getTime() - limits.deadlineMs);
    const overdue = await jobs.overdue({ intentsBefore, jobsBefore }, BATCH_MAX);
    let changed = 0;
    for (const job of overdue) {
      changed += await this.settle(job, (state) => {
        // Its credits were held in the meantime, and it has its whole time before it.
        if (!isIntent(state) && state.createdAt >= jobsBefore) throw new LeaseLost(state.id);
        return failJob(
          state,
          isIntent(state) ? HOLD_UNANSWERED : OVERDUE,
          jobs.subjectOf(state),
          clock.now(),
        );
      });
    }
    const abandoned = await jobs.abandoned(now, BATCH_MAX);
    for (const job of abandoned) {
      changed += await this.settle(job, (state) => {
        // Its worker was only late.
        if (state.leasedUntil && state.leasedUntil >= now) throw new LeaseLost(state.id);
        return failAttempt(
          state,
          job.leaseId!,
          WORKER_LOST,
          jobs.subjectOf(state),
          limits.backoffBaseMs,
          clock.now(),
        );
      });
    }
    if (changed > 0) bell.ring();
    return changed > 0 && Math.max(overdue.length, abandoned.length) === BATCH_MAX;
  }

  private async settle(job: J, decide: (state: J) => Change<J>): Promise<number> {
    const { jobs, settle, logger } = this.parts;
    const context = contextOf(job, newId('swp'));
    try {
      await runInContext(context, () => settle.execute(jobs, job.id, decide, context));
      return 1;
    } catch (err) {
      // A refusal: the job went on by itself in the meantime.
      if (!(err instanceof DomainError)) logger.error({ err, jobId: job.id }, 'a job could not be swept');
      return 0;
    }
  }
}

const HOLD_UNANSWERED: JobFailure = {
  code: 'studio.job.hold_unanswered',
  detail: 'The credits could not be held in time. Nothing was charged; ask for the job again.',
  permanent: true,
};
const OVERDUE: JobFailure = {
  code: 'studio.job.overdue',
  detail: 'The job was not finished in time. Its credits are free again; ask for it once more.',
  permanent: true,
};
const WORKER_LOST: JobFailure = {
  code: 'studio.job.worker_lost',
  detail: 'The worker that had the job was lost.',
  permanent: false,
};
