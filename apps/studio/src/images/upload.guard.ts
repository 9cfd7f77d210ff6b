import { createHash } from 'node:crypto';
import multipart, { type Multipart } from '@fastify/multipart';
import {
  createParamDecorator,
  Injectable,
  type CanActivate,
  type ExecutionContext,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { uploadImageFields, type UploadImageFields } from '@atelier/contracts/studio/images.api';
import { DomainError } from '@atelier/kernel';
import { InjectConfig, parseFields, type ConfigOf, readsBody } from '@atelier/service';
import { studioConfig } from '../studio.config.js';

const FILE_FIELD = 'file';
const FIELDS_MAX = 4;
const FIELD_BYTES_MAX = 8_192;

/** The file of an upload. The hash stands for the bytes where requests are compared; the bytes are not listed. */
export class UploadedFile {
  readonly sha256: string;
  readonly #bytes: Buffer;

  constructor(
    readonly fileName: string | undefined,
    bytes: Buffer,
  ) {
    this.#bytes = bytes;
    this.sha256 = createHash('sha256').update(bytes).digest('hex');
  }

  get bytes(): Buffer {
    return this.#bytes;
  }
}

export interface UploadBody {
  readonly fields: UploadImageFields;
  readonly file: UploadedFile;
}

/**
 * Reads a multipart upload into the request's body. It is a guard because of when guards run: after the actor is
 * known, so that no stranger's bytes are read, and before the idempotency key is compared with the body.
 */
@Injectable()
export class ReadUpload implements CanActivate, OnModuleInit {
  constructor(
    private readonly adapters: HttpAdapterHost,
    @InjectConfig(studioConfig) private readonly config: ConfigOf<typeof studioConfig>,
  ) {}

  async onModuleInit(): Promise<void> {
    const fastify = this.adapters.httpAdapter.getInstance<FastifyInstance>();
    await fastify.register(multipart, {
      throwFileSizeLimit: true,
      limits: {
        files: 1,
        fileSize: this.config.IMAGE_BYTES_MAX,
        fields: FIELDS_MAX,
        fieldSize: FIELD_BYTES_MAX,
        parts: FIELDS_MAX + 1,
      },
    });
  }

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    if (!request.isMultipart())
      throw new DomainError({
        kind: 'unsupported_media_type',
        code: 'studio.upload.not_multipart',
        detail: `Send multipart/form-data with the picture in the part "${FILE_FIELD}".`,
      });
    request.body = await this.read(request);
    return true;
  }

  private async read(request: FastifyRequest): Promise<UploadBody> {
    const text: Record<string, unknown> = {};
    let file: UploadedFile | undefined;
    try {
      for await (const part of request.parts()) {
        if (part.type === 'file') file = await fileOf(part, file);
        else text[part.fieldname] = part.value;
      }
    } catch (error) {
      throw this.refusalOf(error);
    }
    if (!file) throw invalidUpload(`The part "${FILE_FIELD}" with the picture is missing.`);
    return { fields: parseFields(uploadImageFields, text), file };
  }

  private refusalOf(error: unknown): unknown {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (error instanceof DomainError) return error;
    if (code === 'FST_REQ_FILE_TOO_LARGE')
      return new DomainError({
        kind: 'payload_too_large',
        code: 'studio.image.too_large',
        detail: `The picture may have ${this.config.IMAGE_BYTES_MAX} bytes. Make it smaller and upload it again.`,
        extra: { bytesMax: this.config.IMAGE_BYTES_MAX },
      });
    if (code.startsWith('FST_') && code.endsWith('_LIMIT'))
      return invalidUpload(`Send one picture and at most ${FIELDS_MAX} fields.`);
    // What is left is what the parser could not read: the body breaks the multipart format.
    return invalidUpload('The body is not well-formed multipart/form-data.', error);
  }
}

/** `@Upload() upload: UploadBody`, behind `@UseGuards(ReadUpload)`. */
export const Upload = createParamDecorator(
  (_: unknown, execution: ExecutionContext): UploadBody =>
    execution.switchToHttp().getRequest<FastifyRequest>().body as UploadBody,
  [readsBody],
);

async function fileOf(
  part: Multipart & { type: 'file' },
  earlier: UploadedFile | undefined,
): Promise<UploadedFile> {
  const bytes = await part.toBuffer();
  if (earlier || part.fieldname !== FILE_FIELD)
    throw invalidUpload(
      `There is a file in the part "${part.fieldname}". Send one, in the part "${FILE_FIELD}".`,
    );
  return new UploadedFile(part.filename, bytes);
}

const invalidUpload = (detail: string, cause?: unknown) =>
  new DomainError({
    kind: 'invalid',
    code: 'studio.upload.invalid',
    detail,
    errors: [{ pointer: `/${FILE_FIELD}`, detail }],
    cause,
  });
