import type { Context, Page } from '@atelier/kernel';
import type { PageRequest } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { ownerOf } from '../owner.js';
import type { Image } from './image.domain.js';
import { ImageRepository } from './image.repository.js';

/** The caller's gallery, newest first. */
@UseCase('studio.list-images')
export class ListImages {
  constructor(private readonly images: ImageRepository) {}

  execute(page: PageRequest<Image>, context: Context): Promise<Page<Image>> {
    return this.images.gallery(ownerOf(context), page);
  }
}
