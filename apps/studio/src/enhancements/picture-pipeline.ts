import sharp, { type Sharp } from 'sharp';
import { nothingToEnhance, type CropBox, type PictureAnalysis } from './enhancement.domain.js';

export const ANALYSIS_SOURCE = `sharp ${sharp.versions.sharp ?? ''}`;

/** A channel whose levels (of 256) spread less than this shows one tone, JPEG noise included. */
const FLAT_DEVIATION_LEVELS_MAX = 0.75;
const LEVELS = 255;
/** Pixels within this distance of the corner's colour are border. */
const BORDER_TOLERANCE_LEVELS = 12;
/** Trimming that leaves less of the picture than this took more than a border. */
const KEPT_SHARE_MIN = 0.2;
/** libvips trims nothing smaller. */
const TRIM_SIDE_PIXELS_MIN = 3;
const SQUARE_TOLERANCE = 0.05;
const STEP_TIMEOUT_SECONDS = 60;

const opened = (picture: Buffer): Sharp => sharp(picture).timeout({ seconds: STEP_TIMEOUT_SECONDS });

/** Looks at the picture. Throws unprocessable `studio.enhancement.nothing_to_enhance` for one flat tone. */
export async function analyse(picture: Buffer): Promise<PictureAnalysis> {
  const { width, height, hasAlpha } = await opened(picture).metadata();
  const stats = await opened(picture).stats();
  if (stats.channels.every(({ stdev }) => stdev < FLAT_DEVIATION_LEVELS_MAX)) throw nothingToEnhance();
  const colours = stats.channels.slice(0, stats.channels.length - (hasAlpha ? 1 : 0));
  const ratio = width / height;
  return {
    width,
    height,
    orientation: Math.abs(ratio - 1) < SQUARE_TOLERANCE ? 'square' : ratio > 1 ? 'landscape' : 'portrait',
    entropyBits: rounded(stats.entropy),
    sharpness: rounded(stats.sharpness),
    brightness: rounded(mean(colours.map((channel) => channel.mean)) / LEVELS),
    contrast: rounded(mean(colours.map((channel) => channel.stdev)) / LEVELS),
    dominantColor: `#${[stats.dominant.r, stats.dominant.g, stats.dominant.b].map(hexByte).join('')}`,
    hasAlpha,
  };
}

/** Finds a border of one colour. Null when there is none, or when what it leaves is too little to be the picture. */
export async function findCrop(picture: Buffer, { width, height }: PictureAnalysis): Promise<CropBox | null> {
  if (Math.min(width, height) < TRIM_SIDE_PIXELS_MIN) return null;
  const { info } = await opened(picture)
    .trim({ threshold: BORDER_TOLERANCE_LEVELS })
    .png({ compressionLevel: 0 })
    .toBuffer({ resolveWithObject: true });
  const box = {
    x: -(info.trimOffsetLeft ?? 0),
    y: -(info.trimOffsetTop ?? 0),
    w: info.width,
    h: info.height,
  };
  const keptShare = (box.w * box.h) / (width * height);
  return keptShare < 1 && keptShare >= KEPT_SHARE_MIN ? box : null;
}

/** The picture within the box, without loss. */
export function crop(picture: Buffer, { x, y, w, h }: CropBox): Promise<Buffer> {
  return opened(picture)
    .extract({ left: x, top: y, width: w, height: h })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** What the model is asked for, written from what was seen. The same analysis gives the same words. */
export function writePrompt(analysis: PictureAnalysis, box: CropBox | null, sidePixels: number): string {
  const { orientation, brightness, contrast, sharpness, entropyBits, dominantColor } = analysis;
  return [
    `Enhance this ${orientation} picture to ${sidePixels} pixels on its longer side.`,
    box ? `A plain border was cut off; keep the frame as it is now.` : 'Keep the frame as it is.',
    'Keep every subject, face, text and colour relation; add nothing and remove nothing.',
    sharpness < 1
      ? 'It is soft: restore fine detail and edges.'
      : 'Its edges are clear: keep them free of halos.',
    brightness < 0.3
      ? 'It is dark: lift the shadows.'
      : brightness > 0.75
        ? 'It is bright: keep the highlights.'
        : '',
    contrast < 0.12 ? 'Its contrast is low: spread the tones.' : '',
    entropyBits > 7 ? 'It is rich in texture: remove noise and keep grain that belongs.' : '',
    `Its dominant colour is ${dominantColor}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
const rounded = (value: number) => Math.round((value + Number.EPSILON) * 1_000) / 1_000;
const hexByte = (value: number) => Math.round(value).toString(16).padStart(2, '0');
