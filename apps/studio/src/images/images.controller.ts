import { Controller, Delete, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx } from '@atelier/auth';
import { imageView, type ImageView } from '@atelier/contracts/studio/images.api';
import { idSchema, type Context } from '@atelier/kernel';
import { Idempotent, pageOf, pageQuery, type Page } from '@atelier/service';
import { ownerOf } from '../owner.js';
import { DeleteImage } from './delete-image.usecase.js';
import { FindImage } from './find-image.usecase.js';
import type { Image } from './image.domain.js';
import { ListImages } from './list-images.usecase.js';
import { UploadImage } from './upload-image.usecase.js';
import { ReadUpload, Upload, type UploadBody } from './upload.guard.js';

const listQuery = pageQuery();
const imageId = idSchema('img');

/** The caller's own images. Somebody else's are not there. */
@ApiTags('images')
@Controller('api/v1/images')
export class ImagesController {
  constructor(
    private readonly uploadImage: UploadImage,
    private readonly deleteImage: DeleteImage,
    private readonly findImage: FindImage,
    private readonly listImages: ListImages,
  ) {}

  @Post()
  @Idempotent()
  @UseGuards(ReadUpload)
  @ApiConsumes('multipart/form-data')
  @ApiBody({
    schema: {
      type: 'object',
      required: ['file'],
      properties: {
        file: { type: 'string', format: 'binary' },
        name: { type: 'string' },
        description: { type: 'string' },
      },
    },
  })
  @ApiCreatedResponse({ standardSchema: imageView })
  async upload(@Upload() upload: UploadBody, @Ctx() context: Context): Promise<ImageView> {
    return toImageView(await this.uploadImage.execute(upload, context));
  }

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(imageView) })
  async list(
    @Query({ schema: listQuery }) query: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<ImageView>> {
    const { items, nextCursor } = await this.listImages.execute(query, context);
    return { items: items.map(toImageView), nextCursor };
  }

  @Get(':id')
  @ApiOkResponse({ standardSchema: imageView })
  async read(@Param('id', { schema: imageId }) id: string, @Ctx() context: Context): Promise<ImageView> {
    return toImageView(await this.findImage.execute(id, ownerOf(context)));
  }

  @Delete(':id')
  @HttpCode(204)
  delete(@Param('id', { schema: imageId }) id: string, @Ctx() context: Context): Promise<void> {
    return this.deleteImage.execute(id, context);
  }
}

const toImageView = (image: Image): ImageView => ({
  id: image.id,
  name: image.name,
  description: image.description ?? null,
  width: image.originalWidth,
  height: image.originalHeight,
  sizeBytes: image.originalSizeBytes,
  format: image.originalFormat,
  sha256: image.originalSha256,
  fileUrl: image.originalUrl,
  isPublic: image.isPublic,
  viewCount: image.viewCount,
  createdAt: image.createdAt.toISOString(),
  updatedAt: image.updatedAt.toISOString(),
});
