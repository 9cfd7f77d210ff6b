import { UseCase } from '@atelier/service';
import { imageNotFound, type Image } from './image.domain.js';
import { ImageRepository } from './image.repository.js';

/**
 * An image of this owner, for the other features: deleted and foreign ones are not there.
 *
 * Fails with: studio.image.not_found.
 */
@UseCase('studio.find-image')
export class FindImage {
  constructor(private readonly images: ImageRepository) {}

  async execute(imageId: string, userId: string): Promise<Image> {
    const image = await this.images.live(imageId, userId);
    if (!image) throw imageNotFound(imageId);
    return image;
  }
}
