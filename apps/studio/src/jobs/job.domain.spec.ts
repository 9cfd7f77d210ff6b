import { newId } from '@atelier/kernel';
import {
  cancelJob,
  completeJob,
  failAttempt,
  failJob,
  JOB_TRANSITIONS,
  LeaseLost,
  queueJob,
  refuseJob,
  returnJob,
  type Job,
  type JobSubject,
} from './job.domain.js';

const NOW = new Date('2026-11-21T08:00:10.000Z');
const BACKOFF_BASE_MS = 1_000;
const about: JobSubject = { kind: 'image_enhancement', subjectId: 'img_x', title: 'cat.png' };
const passing = { code: 'studio.job.worker_lost', detail: 'lost', permanent: false };
const final = { code: 'studio.enhancement.nothing_to_enhance', detail: 'flat', permanent: true };

const intent = (overrides: Partial<Job> = {}): Job => ({
  id: newId('job'),
  version: 1,
  userId: newId('usr'),
  status: 'pending',
  progress: 0,
  currentStage: null,
  costCredits: 5,
  holdId: newId('hld'),
  retryCount: 0,
  maxRetries: 3,
  queuedAt: null,
  availableAt: null,
  leaseId: null,
  leasedUntil: null,
  correlationId: 'c',
  causationId: 'r',
  processingStartedAt: null,
  processingCompletedAt: null,
  createdAt: new Date('2026-11-21T08:00:00.000Z'),
  updatedAt: new Date('2026-11-21T08:00:00.000Z'),
  ...overrides,
});
const running = (overrides: Partial<Job> = {}): Job =>
  intent({
    status: 'processing',
    queuedAt: new Date('2026-11-21T08:00:01.000Z'),
    availableAt: new Date('2026-11-21T08:00:01.000Z'),
    leaseId: 'lea_1',
    leasedUntil: new Date('2026-11-21T08:00:20.000Z'),
    processingStartedAt: new Date('2026-11-21T08:00:02.000Z'),
    progress: 50,
    currentStage: 'generating',
    ...overrides,
  });
const dataOf = ({ events }: ReturnType<typeof queueJob>) =>
  events.map(({ data }) => data as Record<string, unknown>);

describe('a job', () => {
  it('is told of when its credits are held, and not before', () => {
    const { state, events } = queueJob(intent(), about, NOW);
    expect(state).toMatchObject({ status: 'pending', queuedAt: NOW, availableAt: NOW });
    expect(events.map(({ definition }) => definition.type)).toEqual(['studio.job.requested.v1']);
    expect(() => queueJob(state, about, NOW)).toThrow('no longer waiting for its credits');
  });

  it('ends without a fact when the ledger refused its credits', () => {
    const { state, events } = refuseJob(intent(), final, NOW);
    expect([state.status, state.errorCode, events]).toEqual(['failed', final.code, []]);
  });

  it('is charged in full when it is completed', () => {
    const change = completeJob(running(), 'lea_1', { resultId: 'job_x', fields: {} }, about, NOW);
    expect(change.state).toMatchObject({
      status: 'completed',
      progress: 100,
      leaseId: null,
      leasedUntil: null,
    });
    expect(dataOf(change)).toMatchObject([
      { outcome: 'completed', chargedCredits: 5, durationMs: 8_000, resultId: 'job_x' },
    ]);
  });

  it('waits twice as long after each passing failure, within its retries (R262, R269)', () => {
    const waits = [0, 1, 2].map((retryCount) => {
      const { state, events } = failAttempt(
        running({ retryCount }),
        'lea_1',
        passing,
        about,
        BACKOFF_BASE_MS,
        NOW,
      );
      expect([state.status, state.retryCount, events]).toEqual(['pending', retryCount + 1, []]);
      return state.availableAt!.getTime() - NOW.getTime();
    });
    expect(waits).toEqual([1_000, 2_000, 4_000]);
  });

  it('fails without a charge when its retries are used up (R262)', () => {
    const change = failAttempt(running({ retryCount: 3 }), 'lea_1', passing, about, BACKOFF_BASE_MS, NOW);
    expect(change.state.status).toBe('failed');
    expect(dataOf(change)).toMatchObject([{ outcome: 'failed', chargedCredits: 0, reason: passing.code }]);
  });

  it('is not tried again when the failure is final', () => {
    const { state } = failAttempt(running(), 'lea_1', final, about, BACKOFF_BASE_MS, NOW);
    expect([state.status, state.retryCount, state.errorMessage]).toEqual(['failed', 0, 'flat']);
  });

  it('tells why it failed, by a code and in words', () => {
    expect(dataOf(failJob(running(), final, about, NOW))).toMatchObject([
      { reason: 'studio.enhancement.nothing_to_enhance', reasonText: 'flat' },
    ]);
  });

  it('goes back uncounted when its worker stops in good order', () => {
    const { state, events } = returnJob(running(), 'lea_1', NOW);
    expect(state).toMatchObject({
      status: 'pending',
      retryCount: 0,
      availableAt: NOW,
      leaseId: null,
      progress: 0,
      currentStage: null,
    });
    expect(events).toEqual([]);
  });

  it('takes nothing from a worker that lost its lease', () => {
    const job = running({ leaseId: 'lea_2' });
    expect(() => completeJob(job, 'lea_1', { resultId: 'x', fields: {} }, about, NOW)).toThrow(LeaseLost);
    expect(() => failAttempt(job, 'lea_1', passing, about, BACKOFF_BASE_MS, NOW)).toThrow(LeaseLost);
    expect(() => returnJob(job, 'lea_1', NOW)).toThrow(LeaseLost);
    const canceled = cancelJob(running(), about, NOW).state;
    expect(() => completeJob(canceled, 'lea_1', { resultId: 'x', fields: {} }, about, NOW)).toThrow(
      LeaseLost,
    );
  });

  it('can be canceled while it waits and while it runs, and is not charged (SM35)', () => {
    for (const job of [queueJob(intent(), about, NOW).state, running()]) {
      const change = cancelJob(job, about, NOW);
      expect(change.state.status).toBe('canceled');
      expect(dataOf(change)).toMatchObject([{ outcome: 'canceled', chargedCredits: 0 }]);
    }
    expect(() => cancelJob(intent(), about, NOW)).toThrow('being held');
  });

  it.each(['completed', 'failed', 'refunded', 'canceled'] as const)(
    'ends once: %s is not left for another end',
    (status) => {
      const job = running({ status });
      expect(() => cancelJob(job, about, NOW)).toThrow(status);
      expect(() => failJob(job, final, about, NOW)).toThrow(status);
      expect(JOB_TRANSITIONS[status].some((next) => next !== 'refunded')).toBe(false);
    },
  );
});
