import { Clock, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { ownerOf } from '../owner.js';
import { deleteImage, imageNotFound } from './image.domain.js';
import { ImageRepository } from './image.repository.js';

/**
 * Hides an image for good. A job that has no result of it yet fails, and its credits come back.
 *
 * Fails with: studio.image.not_found.
 */
@UseCase('studio.delete-image')
export class DeleteImage {
  constructor(
    private readonly images: ImageRepository,
    private readonly clock: Clock,
  ) {}

  async execute(imageId: string, context: Context): Promise<void> {
    const userId = ownerOf(context);
    const image = await this.images.live(imageId, userId);
    if (!image) throw imageNotFound(imageId);
    await this.images.save(deleteImage(image, userId, this.clock.now()), context);
  }
}
