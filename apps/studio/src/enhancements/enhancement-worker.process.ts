import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { PipelineStage } from '@atelier/contracts/studio/jobs.api';
import type { JobResult } from '../jobs/job.domain.js';
import { JobWorker, type Attempt, type JobWorkerParts } from '../jobs/job-worker.process.js';
import type { ModelProvider } from '../models/model-provider.js';
import type { ObjectStore } from '../objects/object-store.js';
import {
  fileDamaged,
  resultKeyOf,
  resultUrlOf,
  STAGE_PROGRESS,
  TIERS,
  type EnhancementJob,
} from './enhancement.domain.js';
import { analyse, ANALYSIS_SOURCE, crop, findCrop, writePrompt } from './picture-pipeline.js';
import type { ImageFile, ReadImageFile } from './read-image-file.usecase.js';

/** Takes an image through the four stages (R268); each is visible before it runs, with what the last one found. */
export class EnhancementWorker extends JobWorker<EnhancementJob> {
  constructor(
    parts: JobWorkerParts<EnhancementJob>,
    private readonly readImageFile: ReadImageFile,
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
    const file = await this.original(job);
    const original = await bytesOf(file);
    const analysisResult = await analyse(original);

    await attempt.advance({ ...begun('cropping'), analysisResult, analysisSource: ANALYSIS_SOURCE });
    const cropDimensions = await findCrop(original, analysisResult);
    const picture = cropDimensions ? await crop(original, cropDimensions) : original;

    await attempt.advance({ ...begun('prompting'), wasCropped: cropDimensions !== null, cropDimensions });
    const modelPrompt = writePrompt(analysisResult, cropDimensions, sidePixels);

    const { modelName, temperature } = this.model;
    await attempt.advance({ ...begun('generating'), modelPrompt, modelName, modelTemperature: temperature });
    const { format } = file;
    const generated = await this.model.generate({
      picture,
      prompt: modelPrompt,
      sidePixels,
      format,
      signal: attempt.signal,
    });

    // Deleted meanwhile: nobody could read the result, so nobody is to pay for it.
    await this.original(job);
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

  private original({ imageId, userId }: EnhancementJob): Promise<ImageFile> {
    return this.readImageFile.execute({ imageId, variant: 'original' }, userId!);
  }
}

async function bytesOf(file: ImageFile): Promise<Buffer> {
  const bytes = await buffer(await file.open());
  if (sha256(bytes) !== file.sha256) throw fileDamaged();
  return bytes;
}

const begun = (currentStage: PipelineStage) => ({ currentStage, progress: STAGE_PROGRESS[currentStage] });
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
