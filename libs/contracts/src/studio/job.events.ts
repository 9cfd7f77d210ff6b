import { z } from 'zod';
import { creditsSchema, defineEvent, idSchema } from '@atelier/kernel';

export const JOB_KINDS = ['image_enhancement', 'mcp_generation', 'box_action', 'agent_task'] as const;
export const JOB_OUTCOMES = ['completed', 'failed', 'canceled'] as const;

const job = z.object({
  jobId: idSchema('job'),
  kind: z.enum(JOB_KINDS),
  /** Null for a visitor's job (decisions, I27). */
  userId: idSchema('usr').nullable(),
  holdId: idSchema('hld').nullable(),
  costCredits: creditsSchema,
  /** What the job works on: an image, an app, a box. */
  subjectId: z.string(),
  title: z.string(),
});
const example = {
  jobId: 'job_01m7y1j20qe008c1f3vesc43m3',
  kind: 'image_enhancement',
  userId: 'usr_01m7y1j20qe008c1f3vesc43m3',
  holdId: 'hld_01m7y1j20qe008c1f3vesc43m3',
  costCredits: 5,
  subjectId: 'img_01m7y1j20qe008c1f3vesc43m3',
  title: 'cat.png',
} as const;

export const JobRequested = defineEvent({
  type: 'studio.job.requested.v1',
  summary: 'A job is queued and its credits are held.',
  data: job.extend({ requestedAt: z.iso.datetime() }),
  example: { ...example, requestedAt: '2026-11-21T08:00:00.000Z' },
});

export const JobFinished = defineEvent({
  type: 'studio.job.finished.v1',
  summary: 'A job has ended; completed jobs are charged, the others give their credits back.',
  data: job.extend({
    outcome: z.enum(JOB_OUTCOMES),
    /** The credits to capture: the cost of a completed job, 0 of the others. */
    chargedCredits: creditsSchema,
    /** What came out. For an image enhancement the job's own id: the result is a variant of its image by that name. */
    resultId: z.string().nullable(),
    /** Why it failed: a stable code, such as `studio.job.overdue`. */
    reason: z.string().nullable(),
    /** The same in words, for the job's user. Older facts lack it. */
    reasonText: z.string().optional(),
    durationMs: z.int().min(0),
    finishedAt: z.iso.datetime(),
  }),
  example: {
    ...example,
    outcome: 'completed',
    chargedCredits: 5,
    resultId: 'job_01m7y1j20qe008c1f3vesc43m3',
    reason: null,
    durationMs: 1800,
    finishedAt: '2026-11-21T08:00:02.000Z',
  },
});
