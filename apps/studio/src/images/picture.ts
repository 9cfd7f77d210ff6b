import { createHash } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import { DomainError } from '@atelier/kernel';
import { IMAGE_FORMATS, type ImageFormat } from '@atelier/contracts/studio/images.api';
import type { VerifiedPicture } from './image.domain.js';

// Uploads come from strangers: of libvips' many loaders, only those of our formats may read them.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp'] });

/** Visually lossless: the picture is written once more, since metadata cannot be cut out otherwise. */
const JPEG_QUALITY = 95;
const WEBP_QUALITY = 95;
/** For one picture from its bytes to its bytes. */
const VERIFY_TIMEOUT_SECONDS = 30;

export interface StorablePicture extends VerifiedPicture {
  readonly bytes: Buffer;
}

/**
 * Looks at the content, not at the name: decodes the whole picture, turns it upright, drops EXIF, GPS and colour
 * profiles (to sRGB), and writes it again. Throws unsupported_media_type `studio.image.not_a_picture`,
 * payload_too_large `studio.image.too_many_pixels`, unprocessable `studio.image.broken`.
 */
export async function verifyPicture(upload: Buffer, pixelsMax: number): Promise<StorablePicture> {
  const format = await formatOf(upload, pixelsMax);
  try {
    const { data, info } = await encoded(
      sharp(upload, { limitInputPixels: pixelsMax, failOn: 'error' })
        .timeout({ seconds: VERIFY_TIMEOUT_SECONDS })
        .autoOrient(),
      format,
    ).toBuffer({ resolveWithObject: true });
    return {
      bytes: data,
      sha256: createHash('sha256').update(data).digest('hex'),
      width: info.width,
      height: info.height,
      sizeBytes: data.byteLength,
      format,
    };
  } catch (cause) {
    throw new DomainError({
      kind: 'unprocessable',
      code: 'studio.image.broken',
      detail: `The file begins like a ${format} picture and cannot be read to its end. Save it again and upload it.`,
      cause,
    });
  }
}

async function formatOf(upload: Buffer, pixelsMax: number): Promise<ImageFormat> {
  let format: string | undefined;
  let pixels = 0;
  try {
    const metadata = await sharp(upload, { limitInputPixels: false }).metadata();
    format = metadata.format;
    pixels = metadata.width * metadata.height;
  } catch (cause) {
    throw notAPicture(cause);
  }
  const known = IMAGE_FORMATS.find((candidate) => candidate === format);
  if (!known) throw notAPicture();
  if (pixels > pixelsMax)
    throw new DomainError({
      kind: 'payload_too_large',
      code: 'studio.image.too_many_pixels',
      detail: `The picture has ${pixels} pixels and may have ${pixelsMax}. Make it smaller and upload it again.`,
      extra: { pixels, pixelsMax },
    });
  return known;
}

function encoded(picture: Sharp, format: ImageFormat): Sharp {
  if (format === 'jpeg') return picture.jpeg({ quality: JPEG_QUALITY, mozjpeg: false });
  if (format === 'webp') return picture.webp({ quality: WEBP_QUALITY });
  return picture.png();
}

const notAPicture = (cause?: unknown) =>
  new DomainError({
    kind: 'unsupported_media_type',
    code: 'studio.image.not_a_picture',
    detail: `The file is not a picture that we read. Upload ${IMAGE_FORMATS.join(', ')}.`,
    cause,
  });
