import sharp from 'sharp';
import { ModelProvider, written, type GeneratedPicture, type GenerationRequest } from './model-provider.js';

/**
 * The provider that needs no key, no GPU and no network: Lanczos resampling, spread tones and sharpened edges.
 * The same picture gives the same bytes.
 */
export class LocalModel extends ModelProvider {
  readonly modelName = `local-lanczos3 (libvips ${sharp.versions.vips})`;
  readonly temperature = undefined;

  async generate({ picture, sidePixels, format, signal }: GenerationRequest): Promise<GeneratedPicture> {
    signal.throwIfAborted();
    const generated = await written(
      sharp(picture)
        .resize({ width: sidePixels, height: sidePixels, fit: 'inside', kernel: 'lanczos3' })
        .normalise()
        .sharpen(),
      format,
    );
    signal.throwIfAborted();
    return generated;
  }
}
