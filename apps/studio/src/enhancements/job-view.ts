import type { JobView } from '@atelier/contracts/studio/jobs.api';
import type { EnhancementJob } from './enhancement.domain.js';

/** A job as its user sees it, in answers and in the stream. */
export function toJobView(job: EnhancementJob): JobView {
  return {
    id: job.id,
    kind: 'image_enhancement',
    subjectId: job.imageId,
    title: job.title,
    tier: job.tier,
    status: job.status,
    currentStage: job.currentStage,
    progress: job.progress,
    costCredits: job.costCredits,
    chargedCredits: job.status === 'completed' ? job.costCredits : 0,
    holdId: job.holdId,
    retryCount: job.retryCount,
    maxRetries: job.maxRetries,
    wasCropped: job.wasCropped,
    cropDimensions: job.cropDimensions,
    prompt: job.modelPrompt ?? null,
    result: resultOf(job),
    error: job.errorCode ? { code: job.errorCode, detail: job.errorMessage ?? '' } : null,
    createdAt: job.createdAt.toISOString(),
    updatedAt: job.updatedAt.toISOString(),
    startedAt: job.processingStartedAt?.toISOString() ?? null,
    finishedAt: job.processingCompletedAt?.toISOString() ?? null,
  };
}

function resultOf(job: EnhancementJob): JobView['result'] {
  if (job.status !== 'completed' || !job.enhancedUrl) return null;
  return {
    fileUrl: job.enhancedUrl,
    width: job.enhancedWidth!,
    height: job.enhancedHeight!,
    sizeBytes: job.enhancedSizeBytes!,
    sha256: job.enhancedSha256!,
  };
}
