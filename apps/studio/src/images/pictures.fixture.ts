import sharp, { type Sharp } from 'sharp';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture with detail: the same size gives the same pixels. */
export function aPicture({ width, height }: Size = { width: 160, height: 120 }): Sharp {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      pixels[at] = (x * 255) / width;
      pixels[at + 1] = (y * 255) / height;
      pixels[at + 2] = ((x >> 3) ^ (y >> 3)) & 1 ? 220 : 30;
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** One flat tone: a picture, with nothing to enhance. */
export function aFlatPicture({ width, height }: Size = { width: 64, height: 64 }): Sharp {
  return sharp({ create: { width, height, channels: 3, background: '#3366aa' } });
}

/** The picture within a border of one colour. */
export async function aFramedPicture(border: number, size?: Size): Promise<Sharp> {
  const inner = await aPicture(size).png().toBuffer();
  return sharp(inner).extend({
    top: border,
    bottom: border,
    left: border,
    right: border,
    background: '#ffffff',
  });
}

/** A multipart body with the picture, as a browser sends it. */
export function uploadForm(
  bytes: Uint8Array,
  fileName = 'cat.png',
  fields: Record<string, string> = {},
): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([new Uint8Array(bytes)]), fileName);
  return form;
}
