import { derivedId, DomainError, type Change, type Context, type Id } from '@atelier/kernel';
import type { ImageFormat } from '@atelier/contracts/studio/images.api';
import type { EnhancementTier, PipelineStage } from '@atelier/contracts/studio/jobs.api';
import { MAX_RETRIES_DEFAULT, type Job, type JobSubject } from '../jobs/job.domain.js';

/**
 * The job that enhances one image. The image stays as it is; the result, and what is measured of the original
 * (`analysisResult`) and of the result (R270), are the job's own (R256). The stages run in order and are visible
 * while they run (R268).
 */
export interface EnhancementJob extends Job {
  readonly imageId: Id<'img'>;
  /** The image's name when the job was requested. */
  readonly title: string;
  readonly tier: EnhancementTier;
  readonly currentStage: PipelineStage | null;
  readonly analysisResult: PictureAnalysis | null;
  readonly analysisSource?: string;
  readonly wasCropped: boolean;
  readonly cropDimensions: CropBox | null;
  readonly modelPrompt?: string;
  readonly modelName?: string;
  readonly modelTemperature?: number;
  readonly enhancedKey?: string;
  readonly enhancedUrl?: string;
  readonly enhancedSha256?: string;
  readonly enhancedFormat?: ImageFormat;
  readonly enhancedWidth?: number;
  readonly enhancedHeight?: number;
  readonly enhancedSizeBytes?: number;
  readonly workflowRunId?: string;
  readonly pipelineId?: string;
  readonly sourceImageId?: string;
  readonly isBlend: boolean;
  readonly isAnonymous: boolean;
}

/** In pixels of the upright original. */
export interface CropBox {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** What looking at a picture tells; the prompt is written from it. */
export interface PictureAnalysis {
  readonly width: number;
  readonly height: number;
  readonly orientation: 'landscape' | 'portrait' | 'square';
  /** Bits per pixel of the grey picture: 0 is one flat tone, 8 is noise. */
  readonly entropyBits: number;
  readonly sharpness: number;
  /** 0 is black, 1 is white. */
  readonly brightness: number;
  /** Standard deviation of the channels, 0 to 1. */
  readonly contrast: number;
  readonly dominantColor: string;
  readonly hasAlpha: boolean;
}

export interface TierOffer {
  readonly costCredits: number;
  /** Of the longer side of the result. */
  readonly sidePixels: number;
}

/** R261; `free` is smaller, since its quality is said to be limited. */
export const TIERS: Readonly<Record<EnhancementTier, TierOffer>> = {
  free: { costCredits: 0, sidePixels: 512 },
  tier_1k: { costCredits: 2, sidePixels: 1_024 },
  tier_2k: { costCredits: 5, sidePixels: 2_048 },
  tier_4k: { costCredits: 10, sidePixels: 4_096 },
};

/** Percent done when a stage begins; the last one takes longest. */
export const STAGE_PROGRESS: Readonly<Record<PipelineStage, number>> = {
  analyzing: 5,
  cropping: 25,
  prompting: 40,
  generating: 50,
};

/** A user's jobs that have not ended: more than that would only wait. */
export const OPEN_JOBS_PER_USER_MAX = 20;

export interface EnhancementIntent {
  readonly id: Id<'job'>;
  readonly userId: Id<'usr'>;
  readonly image: { readonly id: Id<'img'>; readonly name: string };
  readonly tier: EnhancementTier;
  readonly openJobs: number;
}

/** The intent: nothing is held and nobody is told yet. The hold's id follows from the job's, so a repeat finds it. */
export function requestEnhancement(
  intent: EnhancementIntent,
  context: Context,
  now: Date,
): Change<EnhancementJob> {
  if (intent.openJobs >= OPEN_JOBS_PER_USER_MAX) throw tooManyOpen();
  const { costCredits } = TIERS[intent.tier];
  const state: EnhancementJob = {
    id: intent.id,
    version: 0,
    userId: intent.userId,
    imageId: intent.image.id,
    title: intent.image.name,
    tier: intent.tier,
    status: 'pending',
    progress: 0,
    currentStage: null,
    costCredits,
    holdId: costCredits > 0 ? derivedId('hld', intent.id, now) : null,
    retryCount: 0,
    maxRetries: MAX_RETRIES_DEFAULT,
    queuedAt: null,
    availableAt: null,
    leaseId: null,
    leasedUntil: null,
    analysisResult: null,
    wasCropped: false,
    cropDimensions: null,
    isBlend: false,
    isAnonymous: false,
    correlationId: context.correlationId,
    causationId: context.causationId,
    ...(context.traceparent ? { traceparent: context.traceparent } : {}),
    ...(context.tenantId ? { tenantId: context.tenantId } : {}),
    processingStartedAt: null,
    processingCompletedAt: null,
    createdAt: now,
    updatedAt: now,
  };
  return { state, events: [] };
}

export const subjectOf = (job: EnhancementJob): JobSubject => ({
  kind: 'image_enhancement',
  subjectId: job.imageId,
  title: job.title,
});

/** A result is written under its attempt's own name, so that a late attempt never touches the one that counts. */
export const resultKeyOf = (job: EnhancementJob, format: ImageFormat): string =>
  `results/${job.id}.${job.leaseId}.${format}`;

/** How the result of a job is read: as a variant of its image. */
export const resultUrlOf = (job: EnhancementJob): string =>
  `/api/v1/images/${job.imageId}/file?variant=${job.id}`;

const TOO_MANY_OPEN = 'studio.job.too_many_open';

/** The intent was refused because too many others were open, so its request may be repeated. */
export const wasOneTooMany = ({ errorCode }: EnhancementJob): boolean => errorCode === TOO_MANY_OPEN;

export const tooManyOpen = () =>
  new DomainError({
    kind: 'too_many_requests',
    code: TOO_MANY_OPEN,
    detail: `You have ${OPEN_JOBS_PER_USER_MAX} jobs that have not ended. Wait for one of them or cancel it.`,
    extra: { openJobsMax: OPEN_JOBS_PER_USER_MAX },
    retryAfterSeconds: 5,
  });

/** A picture of one tone has nothing that could be enhanced; charging for it would be charging for nothing. */
export const nothingToEnhance = () =>
  new DomainError({
    kind: 'unprocessable',
    code: 'studio.enhancement.nothing_to_enhance',
    detail: 'The picture is one flat tone: there is no detail to enhance. Nothing was charged.',
  });

export const fileDamaged = () =>
  new DomainError({
    kind: 'gone',
    code: 'studio.image.file_damaged',
    detail: 'The stored picture is missing or damaged. Upload the original again.',
  });

export const noResult = () =>
  new DomainError({
    kind: 'not_found',
    code: 'studio.enhancement.no_result',
    detail: 'There is no enhanced picture of this image yet.',
  });
