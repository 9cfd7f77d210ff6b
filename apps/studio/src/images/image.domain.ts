import { DomainError, type Change, type Id } from '@atelier/kernel';
import { IMAGE_NAME_CHARS_MAX, type ImageFormat } from '@atelier/contracts/studio/images.api';

/**
 * An uploaded picture. The document keeps the original only; what enhancements make of it lives in their jobs
 * (R256). It is private until its owner says otherwise (R255), and belongs to one user for ever.
 */
export interface Image {
  readonly id: Id<'img'>;
  readonly version: number;
  readonly userId: Id<'usr'>;
  readonly name: string;
  readonly description?: string;
  readonly originalKey: string;
  readonly originalUrl: string;
  readonly originalSha256: string;
  readonly originalWidth: number;
  readonly originalHeight: number;
  readonly originalSizeBytes: number;
  readonly originalFormat: ImageFormat;
  readonly isPublic: boolean;
  readonly shareToken?: string;
  readonly viewCount: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
  readonly deletedBy?: string;
}

/** A picture that was looked at: upright, without metadata, in one of our formats. */
export interface VerifiedPicture {
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  readonly sizeBytes: number;
  readonly format: ImageFormat;
}

export interface UploadedImage {
  readonly id: Id<'img'>;
  readonly userId: Id<'usr'>;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly fileName?: string | undefined;
  readonly picture: VerifiedPicture;
}

const UNNAMED = 'picture';

/** The key follows from the id, so that the repeat of an upload finds the object of its first run. */
export const originalKeyOf = (id: Id<'img'>, format: ImageFormat): string => `originals/${id}.${format}`;
export const fileUrlOf = (id: Id<'img'>): string => `/api/v1/images/${id}/file`;

/** A new image of this owner. No fact is stated: nobody else has to know of a private picture. */
export function uploadImage({ id, userId, picture, ...text }: UploadedImage, now: Date): Change<Image> {
  const state: Image = {
    id,
    version: 0,
    userId,
    name: text.name ?? nameOfFile(text.fileName),
    ...(text.description ? { description: text.description } : {}),
    originalKey: originalKeyOf(id, picture.format),
    originalUrl: fileUrlOf(id),
    originalSha256: picture.sha256,
    originalWidth: picture.width,
    originalHeight: picture.height,
    originalSizeBytes: picture.sizeBytes,
    originalFormat: picture.format,
    isPublic: false,
    viewCount: 0,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  };
  return { state, events: [] };
}

/** The owner no longer wants it: it is hidden at once. The document and the file stay; nothing removes them yet. */
export function deleteImage(image: Image, deletedBy: string, now: Date): Change<Image> {
  return { state: { ...image, deletedAt: now, deletedBy, updatedAt: now }, events: [] };
}

/** The last part of a path from any system, without control characters, cut to a length that lists can show. */
function nameOfFile(fileName: string | undefined): string {
  const base = (fileName ?? '').split(/[\\/]/).at(-1) ?? '';
  return [...base.replace(/\p{C}/gu, '').trim()].slice(0, IMAGE_NAME_CHARS_MAX).join('').trim() || UNNAMED;
}

export const imageNotFound = (id: string): DomainError =>
  new DomainError({ kind: 'not_found', code: 'studio.image.not_found', detail: `You have no image ${id}.` });
