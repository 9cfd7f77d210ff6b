import { Injectable } from '@nestjs/common';
import { IMAGE_FORMATS } from '@atelier/contracts/studio/images.api';
import type { Page } from '@atelier/kernel';
import { aggregateSchema, Database, Outbox, Repository, type PageRequest } from '@atelier/persistence';
import type { Image } from './image.domain.js';

const schema = aggregateSchema<Image>({
  userId: { type: String, required: true },
  name: { type: String, required: true },
  description: { type: String },
  originalKey: { type: String, required: true },
  originalUrl: { type: String, required: true },
  originalSha256: { type: String, required: true },
  originalWidth: { type: Number, required: true },
  originalHeight: { type: Number, required: true },
  originalSizeBytes: { type: Number, required: true },
  originalFormat: { type: String, required: true, enum: IMAGE_FORMATS },
  isPublic: { type: Boolean, required: true },
  shareToken: { type: String },
  viewCount: { type: Number, required: true, min: 0 },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
  deletedAt: { type: Date, default: null },
  deletedBy: { type: String },
})
  // The user's gallery.
  .index({ userId: 1, deletedAt: 1, createdAt: -1, _id: -1 })
  // The public gallery (R255).
  .index({ isPublic: 1, createdAt: -1, _id: -1 })
  .index({ shareToken: 1 }, { unique: true, sparse: true });

@Injectable()
export class ImageRepository extends Repository<Image, 'userId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, { collection: 'enhanced_images', schema, owner: ['userId'] });
  }

  /** The image, unless it is somebody else's or deleted. */
  live(id: string, userId: string): Promise<Image | undefined> {
    return this.one({ _id: id, userId, deletedAt: null });
  }

  /** The user's own images, newest first. */
  gallery(userId: string, page: PageRequest<Image>): Promise<Page<Image>> {
    return this.page({ userId, deletedAt: null }, page);
  }
}
