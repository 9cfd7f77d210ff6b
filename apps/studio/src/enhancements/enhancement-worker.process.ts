import { createHash } from 'node:crypto';
import { DomainError } from '@atelier/kernel';
import type { PipelineStage } from '@atelier/contracts/studio/jobs.api';
import type { FindImage } from '../images/find-image.usecase.js';
import type { Image } from '../images/image.domain.js';
import type { JobResult } from '../jobs/job.domain.js';
import { JobWorker, type Attempt, type JobWorkerParts } from '../jobs/job-worker.process.js';
import { ObjectMissing, type ObjectStore } from '../objects/object-store.js';
import {
  resultKeyOf,
  resultUrlOf,
  STAGE_PROGRESS,
  TIERS,
  type EnhancementJob,
} from './enhancement.domain.js';
import type { ModelProvider } from '../models/model-provider.js';
import { analyse, ANALYSIS_SOURCE, crop, findCrop, writePrompt } from './picture-pipeline.js';

/** Takes an image through the four stages (R268); each is visible before it runs, with what the last one found. */
export class EnhancementWorker extends JobWorker<EnhancementJob> {
  constructor(
    parts: JobWorkerParts<EnhancementJob>,
    private readonly findImage: FindImage,
    private readonly objects: ObjectStore,
    private readonly model: ModelProvider,
  ) {
    super(parts);
  }

  protected override async perform(
    job: EnhancementJob,
    attempt: Attempt<EnhancementJob>,
  ): Promise<JobResult<EnhancementJob>> {
    const { sidePixels } = TIERS[job.tier];
    await attempt.advance(begun('analyzing'));
    const image = await this.findImage.execute(job.imageId, job.userId!);
    const original = await this.original(image);
    const analysisResult = await analyse(original);

    await attempt.advance({ ...begun('cropping'), analysisResult, analysisSource: ANALYSIS_SOURCE });
    const cropDimensions = await findCrop(original, analysisResult);
    const picture = cropDimensions ? await crop(original, cropDimensions) : original;

    await attempt.advance({ ...begun('prompting'), wasCropped: cropDimensions !== null, cropDimensions });
    const modelPrompt = writePrompt(analysisResult, cropDimensions, sidePixels);

    const { modelName, temperature } = this.model;
    await attempt.advance({ ...begun('generating'), modelPrompt, modelName, modelTemperature: temperature });
    const format = image.originalFormat;
    const generated = await this.model.generate({
      picture,
      prompt: modelPrompt,
      sidePixels,
      format,
      signal: attempt.signal,
    });

    attempt.signal.throwIfAborted();
    const enhancedKey = resultKeyOf(job, format);
    await this.objects.put(enhancedKey, generated.bytes);
    return {
      resultId: job.id,
      fields: {
        enhancedKey,
        enhancedUrl: resultUrlOf(job),
        enhancedSha256: sha256(generated.bytes),
        enhancedFormat: format,
        enhancedWidth: generated.width,
        enhancedHeight: generated.height,
        enhancedSizeBytes: generated.bytes.byteLength,
      },
    };
  }

  protected override async discard({ fields: { enhancedKey } }: JobResult<EnhancementJob>): Promise<void> {
    if (enhancedKey) await this.objects.remove(enhancedKey);
  }

  private async original(image: Image): Promise<Buffer> {
    try {
      const bytes = await this.objects.read(image.originalKey);
      if (sha256(bytes) === image.originalSha256) return bytes;
    } catch (error) {
      if (!(error instanceof ObjectMissing)) throw error;
    }
    throw new DomainError({
      kind: 'gone',
      code: 'studio.image.file_damaged',
      detail: 'The stored picture is missing or damaged. Upload it again; nothing was charged.',
    });
  }
}

const begun = (currentStage: PipelineStage) => ({ currentStage, progress: STAGE_PROGRESS[currentStage] });
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
