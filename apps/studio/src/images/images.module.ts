import { Module } from '@nestjs/common';
import { ObjectsModule } from '../objects/objects.module.js';
import { DeleteImage } from './delete-image.usecase.js';
import { FindImage } from './find-image.usecase.js';
import { ImageRepository } from './image.repository.js';
import { ImagesController } from './images.controller.js';
import { ListImages } from './list-images.usecase.js';
import { UploadImage } from './upload-image.usecase.js';

/** Pictures that people upload. */
@Module({
  imports: [ObjectsModule],
  controllers: [ImagesController],
  providers: [ImageRepository, UploadImage, FindImage, ListImages, DeleteImage],
  exports: [FindImage],
})
export class ImagesModule {}
