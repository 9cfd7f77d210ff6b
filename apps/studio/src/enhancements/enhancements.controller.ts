import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { ApiAcceptedResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Ctx } from '@atelier/auth';
import { imageFileQuery, type ImageFileQuery } from '@atelier/contracts/studio/images.api';
import {
  jobView,
  requestEnhancementRequest,
  type JobView,
  type RequestEnhancementRequest,
} from '@atelier/contracts/studio/jobs.api';
import { idSchema, type Context } from '@atelier/kernel';
import { Idempotent } from '@atelier/service';
import { ownerOf } from '../owner.js';
import { toJobView } from './job-view.js';
import { ReadImageFile } from './read-image-file.usecase.js';
import { RequestEnhancement } from './request-enhancement.usecase.js';

const imageId = idSchema('img');

/** Better pictures of an image, and the files of all its pictures. */
@ApiTags('images')
@Controller('api/v1/images/:id')
export class EnhancementsController {
  constructor(
    private readonly requestEnhancement: RequestEnhancement,
    private readonly readImageFile: ReadImageFile,
  ) {}

  @Post('enhancements')
  @HttpCode(202)
  @Idempotent()
  @ApiAcceptedResponse({ standardSchema: jobView })
  async enhance(
    @Param('id', { schema: imageId }) id: string,
    @Body({ schema: requestEnhancementRequest }) { tier }: RequestEnhancementRequest,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JobView> {
    const job = await this.requestEnhancement.execute({ imageId: id, tier }, context);
    reply.header('location', `/api/v1/jobs/${job.id}`);
    return toJobView(job);
  }

  /** The bytes of a variant. Their hash is the ETag: what an id and variant name never changes, but for `enhanced`. */
  @Get('file')
  @ApiProduces('image/jpeg', 'image/png', 'image/webp')
  async file(
    @Param('id', { schema: imageId }) id: string,
    @Query({ schema: imageFileQuery }) { variant }: ImageFileQuery,
    @Headers('if-none-match') seen: string | undefined,
    @Ctx() context: Context,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    const file = await this.readImageFile.execute({ imageId: id, variant }, ownerOf(context));
    const etag = `"${file.sha256}"`;
    // First: a file that is missing is no picture with this ETag.
    const bytes = seen === etag ? undefined : await file.open();
    reply.headers({
      etag,
      'cache-control': 'private, no-cache',
      // What people upload is shown, never run.
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    });
    if (!bytes) {
      reply.status(304);
      return undefined;
    }
    return new StreamableFile(bytes, {
      type: `image/${file.format}`,
      length: file.sizeBytes,
      disposition: `inline; filename="${id}.${file.format}"`,
    });
  }
}
