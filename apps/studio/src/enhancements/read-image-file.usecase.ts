import type { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import type { ImageFileQuery, ImageFormat } from '@atelier/contracts/studio/images.api';
import { UseCase } from '@atelier/service';
import { FindImage } from '../images/find-image.usecase.js';
import { ObjectMissing, ObjectStore } from '../objects/object-store.js';
import { fileDamaged, noResult, type EnhancementJob } from './enhancement.domain.js';
import { EnhancementRepository } from './enhancement.repository.js';

export interface ImageFile {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly format: ImageFormat;
  /** Throws gone `studio.image.file_damaged` when the store does not have it. */
  open(): Promise<Readable>;
}

/**
 * Finds the file of an image's variant: its original, its newest result, or the result of one of its jobs.
 *
 * Fails with: studio.image.not_found, studio.enhancement.no_result; its `open` with studio.image.file_damaged.
 */
@UseCase('studio.read-image-file')
export class ReadImageFile {
  private readonly log = new Logger('image files');

  constructor(
    private readonly findImage: FindImage,
    private readonly jobs: EnhancementRepository,
    private readonly objects: ObjectStore,
  ) {}

  async execute(
    { imageId, variant }: ImageFileQuery & { readonly imageId: string },
    userId: string,
  ): Promise<ImageFile> {
    const image = await this.findImage.execute(imageId, userId);
    if (variant === 'original')
      return {
        sha256: image.originalSha256,
        sizeBytes: image.originalSizeBytes,
        format: image.originalFormat,
        open: () => this.open(image.originalKey),
      };
    const job = await (variant === 'enhanced'
      ? this.jobs.newestCompleted(imageId, userId)
      : this.jobs.load(variant, { userId }));
    if (job?.imageId !== imageId || job.status !== 'completed') throw noResult();
    return this.resultOf(job);
  }

  private resultOf(job: EnhancementJob): ImageFile {
    return {
      sha256: job.enhancedSha256!,
      sizeBytes: job.enhancedSizeBytes!,
      format: job.enhancedFormat!,
      open: () => this.open(job.enhancedKey!),
    };
  }

  private async open(key: string): Promise<Readable> {
    try {
      return await this.objects.open(key);
    } catch (error) {
      if (!(error instanceof ObjectMissing)) throw error;
      this.log.error(error.message);
      throw fileDamaged();
    }
  }
}
