import { z } from 'zod';
import { idSchema } from '@atelier/kernel';

/** What an upload may be; the content decides, not the name or the announced type. */
export const IMAGE_FORMATS = ['jpeg', 'png', 'webp'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

export const IMAGE_NAME_CHARS_MAX = 120;
export const IMAGE_DESCRIPTION_CHARS_MAX = 2_000;

/**
 * The text fields beside `file` in the multipart body of `POST /api/v1/images`. Without a name the file's own
 * name is taken.
 */
export const uploadImageFields = z.strictObject({
  name: z.string().trim().min(1).max(IMAGE_NAME_CHARS_MAX).optional(),
  description: z.string().trim().max(IMAGE_DESCRIPTION_CHARS_MAX).optional(),
});
export type UploadImageFields = z.infer<typeof uploadImageFields>;

export const imageView = z.strictObject({
  id: idSchema('img'),
  name: z.string(),
  description: z.string().nullable(),
  /** Of the stored picture: upright, and without the metadata of the upload. */
  width: z.int().min(1),
  height: z.int().min(1),
  sizeBytes: z.int().min(1),
  format: z.enum(IMAGE_FORMATS),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Where the owner reads the picture: a path of this API. */
  fileUrl: z.string(),
  isPublic: z.boolean(),
  viewCount: z.int().min(0),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type ImageView = z.infer<typeof imageView>;

/**
 * `GET /api/v1/images/{id}/file?variant=`: the original, the result of the newest completed job, or the result of
 * one job by its id.
 */
export const imageFileQuery = z.strictObject({
  variant: z.union([z.enum(['original', 'enhanced']), idSchema('job')]).default('original'),
});
export type ImageFileQuery = z.infer<typeof imageFileQuery>;
