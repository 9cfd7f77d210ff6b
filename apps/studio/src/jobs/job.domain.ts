import { DomainError, type Change, type Context, type DomainEvent, type Id } from '@atelier/kernel';
import {
  JobFinished,
  JobRequested,
  type JOB_KINDS,
  type JOB_OUTCOMES,
} from '@atelier/contracts/studio/job.events';
import type { JobStatus } from '@atelier/contracts/studio/jobs.api';

/**
 * What all kinds of jobs share (SM35): a job is an intent until its credits are held, waits, is worked on under a
 * lease, and ends exactly once, with one JobFinished. Only a completed job is charged. Credits are held before
 * it is queued and captured or released by the ledger when it ends, which is how R271 ("deducted when created")
 * is kept without ever charging for a failure.
 */
export interface Job {
  readonly id: Id<'job'>;
  readonly version: number;
  /** Absent for a visitor's job (decisions, I27). */
  readonly userId?: Id<'usr'>;
  readonly status: JobStatus;
  /** Percent. */
  readonly progress: number;
  /** Where its worker is, and where it was when the job ended. Null while no worker has begun. */
  readonly currentStage: string | null;
  readonly costCredits: number;
  /** Null for a job that costs nothing. */
  readonly holdId: Id<'hld'> | null;
  /** Attempts that were lost or failed in passing (R262). */
  readonly retryCount: number;
  readonly maxRetries: number;
  /** Null while the job is an intent: its credits are not held yet, and no worker takes it. */
  readonly queuedAt: Date | null;
  /** Not before then may a worker take it: the back-off of a retry. */
  readonly availableAt: Date | null;
  /** One claim's own id: what a worker writes counts only under the lease it was given. */
  readonly leaseId: string | null;
  readonly leasedUntil: Date | null;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  /** Of the request: the worker goes on in its trace. */
  readonly correlationId: string;
  readonly causationId: string;
  readonly traceparent?: string;
  readonly tenantId?: string;
  readonly processingStartedAt: Date | null;
  readonly processingCompletedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a job is about, as its facts tell it. */
export interface JobSubject {
  readonly kind: (typeof JOB_KINDS)[number];
  readonly subjectId: string;
  readonly title: string;
}

/** What an attempt made: how others find it, and what the job keeps of it. */
export interface JobResult<J extends Job> {
  readonly resultId: string;
  readonly fields: Partial<J>;
}

/** Why an attempt or a job failed, in words that its user may read. */
export interface JobFailure {
  readonly code: string;
  readonly detail: string;
  /** Trying again would end the same way. */
  readonly permanent: boolean;
}

export const JOB_TRANSITIONS: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  pending: ['processing', 'failed', 'canceled'],
  processing: ['pending', 'completed', 'failed', 'canceled'],
  completed: ['refunded'],
  failed: ['refunded'],
  refunded: [],
  canceled: [],
};

/** R262, R269 */
export const MAX_RETRIES_DEFAULT = 3;
const BACKOFF_MAX_MS = 60_000;

export const isOpen = ({ status }: Job): boolean => status === 'pending' || status === 'processing';
export const isIntent = (job: Job): boolean => job.status === 'pending' && job.queuedAt === null;

/** Who acts on a job when its user does not: the service, within the story that the request began. */
export const contextOf = (job: Job, causationId: string): Context => ({
  actor: { kind: 'service', id: 'studio' },
  correlationId: job.correlationId,
  causationId,
  ...(job.traceparent ? { traceparent: job.traceparent } : {}),
  ...(job.tenantId ? { tenantId: job.tenantId } : {}),
});

/** The credits are held: from now on workers may take the job. */
export function queueJob<J extends Job>(job: J, about: JobSubject, now: Date): Change<J> {
  if (!isIntent(job)) throw wrongState(job, 'is no longer waiting for its credits');
  const state: J = { ...job, queuedAt: now, availableAt: now, updatedAt: now };
  return {
    state,
    events: [JobRequested(job.id, { ...factsOf(job, about), requestedAt: now.toISOString() })],
  };
}

/** The ledger refused the hold. Nobody has heard of this job, so nobody is told that it ended. */
export function refuseJob<J extends Job>(job: J, failure: JobFailure, now: Date): Change<J> {
  if (!isIntent(job)) throw wrongState(job, 'is no longer waiting for its credits');
  return { state: ended(job, 'failed', now, failure), events: [] };
}

/** The worker that holds the lease has a result. */
export function completeJob<J extends Job>(
  job: J,
  leaseId: string,
  { resultId, fields }: JobResult<J>,
  about: JobSubject,
  now: Date,
): Change<J> {
  assertLease(job, leaseId);
  const state: J = { ...ended(job, 'completed', now), ...fields, progress: 100 };
  return { state, events: [finished(state, about, 'completed', { resultId, reason: null }, now)] };
}

/**
 * An attempt ended without a result: the job waits for the next one, twice as long each time (R269), until its
 * retries are used up or the failure is permanent (R262).
 */
export function failAttempt<J extends Job>(
  job: J,
  leaseId: string,
  failure: JobFailure,
  about: JobSubject,
  backoffBaseMs: number,
  now: Date,
): Change<J> {
  assertLease(job, leaseId);
  if (failure.permanent || job.retryCount >= job.maxRetries) return failJob(job, failure, about, now);
  const backoffMs = Math.min(BACKOFF_MAX_MS, backoffBaseMs * 2 ** job.retryCount);
  const state: J = {
    ...returned(job, new Date(now.getTime() + backoffMs), now),
    retryCount: job.retryCount + 1,
    errorCode: failure.code,
    errorMessage: failure.detail,
  };
  return { state, events: [] };
}

/** The worker stops in good order: the job goes back, and no attempt is counted. */
export function returnJob<J extends Job>(job: J, leaseId: string, now: Date): Change<J> {
  assertLease(job, leaseId);
  return { state: returned(job, now, now), events: [] };
}

/** The job cannot go on; its credits come back. */
export function failJob<J extends Job>(job: J, failure: JobFailure, about: JobSubject, now: Date): Change<J> {
  assertMay(job, 'failed');
  const state = ended(job, 'failed', now, failure);
  return {
    state,
    events: [
      finished(
        state,
        about,
        'failed',
        { resultId: null, reason: failure.code, reasonText: failure.detail },
        now,
      ),
    ],
  };
}

/** Its user does not want it any more; its credits come back. A job that is canceled already stays so. */
export function cancelJob<J extends Job>(job: J, about: JobSubject, now: Date): Change<J> {
  if (isIntent(job))
    throw new DomainError({
      kind: 'conflict',
      code: 'studio.job.not_queued',
      detail: 'The credits of this job are being held right now. Cancel it in a moment.',
      retryAfterSeconds: 1,
    });
  assertMay(job, 'canceled');
  const state = ended(job, 'canceled', now);
  return { state, events: [finished(state, about, 'canceled', { resultId: null, reason: null }, now)] };
}

function returned<J extends Job>(job: J, availableAt: Date, now: Date): J {
  return {
    ...job,
    status: 'pending',
    progress: 0,
    currentStage: null,
    availableAt,
    leaseId: null,
    leasedUntil: null,
    updatedAt: now,
  };
}

function ended<J extends Job>(job: J, status: JobStatus, now: Date, failure?: JobFailure): J {
  return {
    ...job,
    status,
    availableAt: null,
    leaseId: null,
    leasedUntil: null,
    errorCode: failure?.code,
    errorMessage: failure?.detail,
    processingCompletedAt: now,
    updatedAt: now,
  };
}

function finished(
  job: Job,
  about: JobSubject,
  outcome: (typeof JOB_OUTCOMES)[number],
  ending: { readonly resultId: string | null; readonly reason: string | null; readonly reasonText?: string },
  now: Date,
): DomainEvent {
  const startedAt = job.processingStartedAt ?? now;
  return JobFinished(job.id, {
    ...factsOf(job, about),
    ...ending,
    outcome,
    chargedCredits: outcome === 'completed' ? job.costCredits : 0,
    durationMs: Math.max(0, now.getTime() - startedAt.getTime()),
    finishedAt: now.toISOString(),
  });
}

const factsOf = (job: Job, about: JobSubject) => ({
  ...about,
  jobId: job.id,
  userId: job.userId ?? null,
  holdId: job.holdId,
  costCredits: job.costCredits,
});

/** Somebody else has the job now, or it has ended: what this worker found out is not wanted any more. */
export class LeaseLost extends DomainError {
  constructor(jobId: string) {
    super({
      kind: 'conflict',
      code: 'studio.job.lease_lost',
      detail: `${jobId} is no longer this worker's.`,
    });
    this.name = 'LeaseLost';
  }
}

function assertLease(job: Job, leaseId: string): void {
  if (job.status !== 'processing' || job.leaseId !== leaseId) throw new LeaseLost(job.id);
}

function assertMay(job: Job, next: JobStatus): void {
  if (!JOB_TRANSITIONS[job.status].includes(next)) throw wrongState(job, `cannot become ${next}`);
}

const wrongState = (job: Job, why: string) =>
  new DomainError({
    kind: 'conflict',
    code: 'studio.job.wrong_state',
    detail: `${job.id} is ${job.status} and ${why}.`,
    extra: { jobStatus: job.status },
  });

export const jobNotFound = (id: string): DomainError =>
  new DomainError({ kind: 'not_found', code: 'studio.job.not_found', detail: `You have no job ${id}.` });
