import { Clock, idFor, type Context } from '@atelier/kernel';
import { InjectConfig, UseCase, type ConfigOf } from '@atelier/service';
import { ObjectStore } from '../objects/object-store.js';
import { ownerOf } from '../owner.js';
import { studioConfig } from '../studio.config.js';
import { uploadImage, type Image } from './image.domain.js';
import { ImageRepository } from './image.repository.js';
import { verifyPicture } from './picture.js';
import type { UploadBody } from './upload.guard.js';

/**
 * Takes a picture in: verified, upright, without metadata. The object is stored before the document, so that no
 * document ever points at nothing.
 *
 * Fails with: studio.image.not_a_picture, studio.image.too_many_pixels, studio.image.broken.
 */
@UseCase('studio.upload-image')
export class UploadImage {
  constructor(
    private readonly images: ImageRepository,
    private readonly objects: ObjectStore,
    private readonly clock: Clock,
    @InjectConfig(studioConfig) private readonly config: ConfigOf<typeof studioConfig>,
  ) {}

  async execute({ fields, file }: UploadBody, context: Context): Promise<Image> {
    const userId = ownerOf(context);
    const { bytes, ...picture } = await verifyPicture(file.bytes, this.config.IMAGE_PIXELS_MAX);
    const id = idFor(context, 'img');
    const change = uploadImage({ id, userId, ...fields, fileName: file.fileName, picture }, this.clock.now());
    await this.objects.put(change.state.originalKey, bytes);
    return this.images.save(change, context);
  }
}
