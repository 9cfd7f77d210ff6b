import type { OnApplicationBootstrap } from '@nestjs/common';
import { type Clock, type Context, DomainError } from '@atelier/kernel';
import { counter, type Logger, runInContext, withSpan } from '@atelier/observability';
import type { ShutdownSequence } from '@atelier/service';
import type { JobBell } from './job-bell.js';
import {
  completeJob,
  contextOf,
  failAttempt,
  type Job,
  type JobFailure,
  type JobResult,
  LeaseLost,
  returnJob,
} from './job.domain.js';
import type { JobRepository } from './job.repository.js';
import type { SettleJob } from './settle-job.usecase.js';

export interface JobWorkerLimits {
  readonly atOnceMax: number;
  readonly pollMs: number;
  readonly leaseMs: number;
  readonly attemptTimeoutMs: number;
  readonly backoffBaseMs: number;
}

export interface JobWorkerParts<J extends Job> {
  readonly jobs: JobRepository<J>;
  readonly bell: JobBell;
  readonly settle: SettleJob;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly shutdown: ShutdownSequence;
  readonly limits: JobWorkerLimits;
}

/** One attempt at a job, as the code that does the work sees it. */
export interface Attempt<J extends Job> {
  /** Aborted when the lease is lost, the attempt takes too long, or the process stops. */
  readonly signal: AbortSignal;
  /** Writes what is known by now into the job. Throws when the attempt is no longer wanted. */
  advance(fields: Partial<J>): Promise<void>;
}

const HEARTBEATS_PER_LEASE = 3;
const STOPPING = Symbol('stopping');
const attempts = counter('atelier_job_attempts_total', 'Attempts at jobs.', ['kind', 'outcome']);

/**
 * Works on the jobs of one kind, a few at once. The lease makes sure that a job has one worker: it is renewed
 * while the attempt runs, and when this process dies the sweeper gives the job to another.
 */
export abstract class JobWorker<J extends Job> implements OnApplicationBootstrap {
  /** By lease: after a stall a job may be here twice, and the old attempt must not take the new one's place. */
  private readonly running = new Map<
    string,
    { readonly stop: AbortController; readonly done: Promise<void> }
  >();
  private stopping = false;
  private loop: Promise<void> | undefined;

  protected constructor(private readonly parts: JobWorkerParts<J>) {}

  /** Does the work and answers what `completeJob` adds to the job. A DomainError is final, unless unavailable. */
  protected abstract perform(job: J, attempt: Attempt<J>): Promise<JobResult<J>>;

  /** The result of an attempt that does not count: its objects can go. */
  protected abstract discard(result: JobResult<J>): Promise<void>;

  onApplicationBootstrap(): void {
    if (this.parts.limits.atOnceMax === 0) return;
    this.loop = this.take();
    this.parts.shutdown.add('jobs', `${this.constructor.name}`, () => this.stop());
  }

  private async take(): Promise<void> {
    const { jobs, bell, clock, logger, limits } = this.parts;
    while (!this.stopping) {
      let job: J | undefined;
      try {
        if (this.running.size < limits.atOnceMax) job = await jobs.claim(limits.leaseMs, clock.now());
      } catch (err) {
        logger.error({ err }, 'no job could be claimed; the next try is in a moment');
      }
      if (job) this.begin(job);
      else if (!this.stopping) await bell.wait(limits.pollMs);
    }
  }

  private begin(job: J): void {
    const stop = new AbortController();
    const context = contextOf(job, job.id);
    const { kind } = this.parts.jobs.subjectOf(job);
    const attempt = () => this.attempt(job, stop, context);
    const done = runInContext(context, () =>
      withSpan(`studio.${kind}`, { 'job.id': job.id }, attempt, { parentTraceparent: job.traceparent }),
    )
      .then((outcome) => attempts.inc({ kind, outcome }))
      .catch((err: unknown) => {
        // The lease runs out and the sweeper decides.
        this.parts.logger.error({ err, jobId: job.id }, 'an attempt could not be settled');
      })
      .finally(() => {
        this.running.delete(job.leaseId!);
        this.parts.bell.ring();
      });
    this.running.set(job.leaseId!, { stop, done });
  }

  private async attempt(job: J, stop: AbortController, context: Context): Promise<string> {
    const leaseId = job.leaseId!;
    const timeout = AbortSignal.timeout(this.parts.limits.attemptTimeoutMs);
    const signal = AbortSignal.any([stop.signal, timeout]);
    const heartbeat = this.keepLease(job, stop);
    try {
      const performed = this.perform(job, {
        signal,
        advance: (fields) => this.advance(job, fields, stop, signal),
      });
      const result = await orAborted(performed, signal, (late) => this.discard(late));
      return await this.complete(job, leaseId, result, context);
    } catch (error) {
      if (signal.reason === STOPPING) return await this.giveBack(job, leaseId, context);
      if (error instanceof LeaseLost) return 'lease_lost';
      return await this.fail(job, leaseId, timeout.aborted ? TIMED_OUT : this.failureOf(error, job), context);
    } finally {
      clearInterval(heartbeat);
    }
  }

  private async complete(job: J, leaseId: string, result: JobResult<J>, context: Context): Promise<string> {
    try {
      await this.decide(job, context, (state, now) =>
        completeJob(state, leaseId, result, this.parts.jobs.subjectOf(state), now),
      );
      return 'completed';
    } catch (error) {
      // Only a refusal proves that nothing was saved: behind a lost answer the job may be completed and charged.
      if (error instanceof DomainError) await this.discard(result);
      throw error;
    }
  }

  private async fail(job: J, leaseId: string, failure: JobFailure, context: Context): Promise<string> {
    const { jobs, limits } = this.parts;
    const state = await this.decide(job, context, (current, now) =>
      failAttempt(current, leaseId, failure, jobs.subjectOf(current), limits.backoffBaseMs, now),
    );
    return state.status === 'pending' ? 'retried' : 'failed';
  }

  private async giveBack(job: J, leaseId: string, context: Context): Promise<string> {
    await this.decide(job, context, (state, now) => returnJob(state, leaseId, now));
    return 'returned';
  }

  private decide(
    job: J,
    context: Context,
    decision: (state: J, now: Date) => ReturnType<typeof returnJob<J>>,
  ) {
    const { settle, jobs, clock } = this.parts;
    return settle.execute(jobs, job.id, (state) => decision(state, clock.now()), context);
  }

  private async advance(
    job: J,
    fields: Partial<J>,
    stop: AbortController,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    if (await this.parts.jobs.advance(job.id, job.leaseId!, fields, this.parts.clock.now())) return;
    stop.abort(new LeaseLost(job.id));
    signal.throwIfAborted();
  }

  private keepLease(job: J, stop: AbortController): NodeJS.Timeout {
    const { jobs, clock, logger, limits } = this.parts;
    return setInterval(() => {
      jobs.renew(job.id, job.leaseId!, limits.leaseMs, clock.now()).then(
        (kept) => {
          if (!kept) stop.abort(new LeaseLost(job.id));
        },
        // One missed heartbeat is no loss: the lease outlives two.
        (err: unknown) => logger.warn({ err, jobId: job.id }, 'a lease could not be renewed'),
      );
    }, limits.leaseMs / HEARTBEATS_PER_LEASE);
  }

  private failureOf(error: unknown, job: J): JobFailure {
    if (error instanceof DomainError)
      return { code: error.code, detail: error.message, permanent: error.kind !== 'unavailable' };
    this.parts.logger.error({ err: error, jobId: job.id }, 'an attempt failed');
    return {
      code: 'studio.job.attempt_failed',
      detail: 'Something went wrong on our side while the job ran.',
      permanent: false,
    };
  }

  /** Work in hand goes back to the queue at once: another replica is faster than this one's drain. */
  private async stop(): Promise<void> {
    this.stopping = true;
    this.parts.bell.ring();
    await this.loop;
    const running = [...this.running.values()];
    for (const { stop } of running) stop.abort(STOPPING);
    await Promise.all(running.map(({ done }) => done));
  }
}

const TIMED_OUT: JobFailure = {
  code: 'studio.job.attempt_timed_out',
  detail: 'The job took longer than an attempt may take.',
  permanent: false,
};

/** The work's result, or the signal's reason as soon as it is aborted; a result that comes later is handed over. */
async function orAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  late: (result: T) => Promise<void>,
): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } catch (error) {
    if (signal.aborted) work.then(late).catch(() => undefined);
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
