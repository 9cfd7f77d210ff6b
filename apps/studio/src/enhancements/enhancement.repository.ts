import { Injectable } from '@nestjs/common';
import { IMAGE_FORMATS } from '@atelier/contracts/studio/images.api';
import { ENHANCEMENT_TIERS, PIPELINE_STAGES } from '@atelier/contracts/studio/jobs.api';
import { aggregateSchema, Database, Outbox } from '@atelier/persistence';
import { jobFields, JobRepository, withJobIndexes } from '../jobs/job.repository.js';
import { subjectOf, type EnhancementJob } from './enhancement.domain.js';

const schema = withJobIndexes(
  aggregateSchema<EnhancementJob>({
    ...jobFields,
    imageId: { type: String, required: true },
    title: { type: String, required: true },
    tier: { type: String, required: true, enum: ENHANCEMENT_TIERS },
    currentStage: { type: String, enum: [...PIPELINE_STAGES, null], default: null },
    analysisResult: { type: Object, default: null },
    analysisSource: { type: String },
    wasCropped: { type: Boolean, required: true },
    cropDimensions: { type: Object, default: null },
    modelPrompt: { type: String },
    modelName: { type: String },
    modelTemperature: { type: Number },
    enhancedKey: { type: String },
    enhancedUrl: { type: String },
    enhancedSha256: { type: String },
    enhancedFormat: { type: String, enum: IMAGE_FORMATS },
    enhancedWidth: { type: Number },
    enhancedHeight: { type: Number },
    enhancedSizeBytes: { type: Number },
    workflowRunId: { type: String },
    pipelineId: { type: String },
    sourceImageId: { type: String },
    isBlend: { type: Boolean, required: true },
    isAnonymous: { type: Boolean, required: true },
  }),
)
  .index({ imageId: 1, userId: 1, status: 1, processingCompletedAt: -1, _id: -1 })
  .index({ workflowRunId: 1 })
  .index({ pipelineId: 1 });

@Injectable()
export class EnhancementRepository extends JobRepository<EnhancementJob> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, { collection: 'image_enhancement_jobs', schema, owner: ['userId'] });
  }

  override subjectOf(job: EnhancementJob) {
    return subjectOf(job);
  }

  /** The job that enhanced this image last. */
  async newestCompleted(imageId: string, userId: string): Promise<EnhancementJob | undefined> {
    const { items } = await this.page(
      { imageId, userId, status: 'completed' },
      { limit: 1, sort: { by: 'processingCompletedAt', direction: -1 } },
    );
    return items[0];
  }
}
