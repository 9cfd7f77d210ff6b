import { z } from 'zod';
import { creditsSchema, idSchema } from '@atelier/kernel';
import { JOB_KINDS } from './job.events.js';

/**
 * The life of a job (SM35, decisions): `pending` → `processing` → `completed` | `failed`; `pending` again for a
 * retry; `canceled` by its user; `refunded` when a charge was given back later.
 */
export const JOB_STATUSES = ['pending', 'processing', 'completed', 'failed', 'refunded', 'canceled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** The stages of an image enhancement, in order (R268, SM36). */
export const PIPELINE_STAGES = ['analyzing', 'cropping', 'prompting', 'generating'] as const;
export type PipelineStage = (typeof PIPELINE_STAGES)[number];

export const ENHANCEMENT_TIERS = ['free', 'tier_1k', 'tier_2k', 'tier_4k'] as const;
export type EnhancementTier = (typeof ENHANCEMENT_TIERS)[number];

/** `POST /api/v1/images/{id}/enhancements` */
export const requestEnhancementRequest = z.strictObject({ tier: z.enum(ENHANCEMENT_TIERS) });
export type RequestEnhancementRequest = z.infer<typeof requestEnhancementRequest>;

/** What came out of a completed job; the file is read at `fileUrl`. */
export const jobResultView = z.strictObject({
  fileUrl: z.string(),
  width: z.int().min(1),
  height: z.int().min(1),
  sizeBytes: z.int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** Why a job failed: `code` is stable, `detail` is for a person. */
export const jobErrorView = z.strictObject({ code: z.string(), detail: z.string() });

export const jobView = z.strictObject({
  id: idSchema('job'),
  kind: z.enum(JOB_KINDS),
  /** What the job works on: an image. */
  subjectId: z.string(),
  title: z.string(),
  tier: z.enum(ENHANCEMENT_TIERS),
  status: z.enum(JOB_STATUSES),
  currentStage: z.enum(PIPELINE_STAGES).nullable(),
  /** Percent. */
  progress: z.int().min(0).max(100),
  costCredits: creditsSchema,
  /** The cost of a completed job, else 0. */
  chargedCredits: creditsSchema,
  holdId: idSchema('hld').nullable(),
  retryCount: z.int().min(0),
  maxRetries: z.int().min(0),
  wasCropped: z.boolean(),
  cropDimensions: z.strictObject({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }).nullable(),
  /** What the model was asked for, once it is written. */
  prompt: z.string().nullable(),
  result: jobResultView.nullable(),
  error: jobErrorView.nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
});
export type JobView = z.infer<typeof jobView>;
