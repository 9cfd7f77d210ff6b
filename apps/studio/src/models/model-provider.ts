import type { Sharp } from 'sharp';
import type { ImageFormat } from '@atelier/contracts/studio/images.api';

/** One picture for the model. */
export interface GenerationRequest {
  readonly picture: Buffer;
  readonly prompt: string;
  /** Of the longer side of the result. */
  readonly sidePixels: number;
  readonly format: ImageFormat;
  readonly signal: AbortSignal;
}

export interface GeneratedPicture {
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
}

/**
 * Who makes the better picture. Every implementation passes `model-provider.contract.spec.ts`: the result has the
 * proportions of the picture, exactly the asked side and the asked format; an aborted signal ends the call with
 * its reason. Throws a DomainError when the model refuses the picture for good, unavailable when it may be asked
 * again.
 */
export abstract class ModelProvider {
  abstract readonly modelName: string;
  abstract readonly temperature: number | undefined;
  abstract generate(request: GenerationRequest): Promise<GeneratedPicture>;
}

const QUALITY = { jpeg: 92, webp: 90 } as const;
const WRITE_TIMEOUT_SECONDS = 90;

/** Writes a picture in the asked format. */
export async function written(picture: Sharp, format: ImageFormat): Promise<GeneratedPicture> {
  const timed = picture.timeout({ seconds: WRITE_TIMEOUT_SECONDS });
  const encoded =
    format === 'png'
      ? timed.png()
      : format === 'jpeg'
        ? timed.jpeg({ quality: QUALITY.jpeg })
        : timed.webp({ quality: QUALITY.webp });
  const { data, info } = await encoded.toBuffer({ resolveWithObject: true });
  return { bytes: data, width: info.width, height: info.height };
}
