import { Logger } from '@nestjs/common';
import sharp from 'sharp';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { DomainError } from '@atelier/kernel';
import { readText } from '@atelier/service';
import { ModelProvider, written, type GeneratedPicture, type GenerationRequest } from './model-provider.js';

export interface GeminiOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  /** A model that answers with pictures, such as `gemini-3-pro-image-preview` (R508). */
  readonly model: string;
  readonly temperature: number;
}

const ANSWER_BYTES_MAX = 64 * 1_048_576;
const CONNECTIONS_MAX = 8;
const RETRY_AFTER_SECONDS = 10;
/** What may be about the picture. Other 4xx are about our key, our model's name or our quota. */
const REFUSALS = [400, 413, 422];
/** What Google says, with 400 too, when it is our account that it refuses. */
const OUR_FAULT = /API_KEY_INVALID|FAILED_PRECONDITION/;
/** What the model may be asked for; the result is then fitted to the tier's exact side. */
const SIZES = [
  { sidePixels: 1_024, imageSize: '1K' },
  { sidePixels: 2_048, imageSize: '2K' },
  { sidePixels: Infinity, imageSize: '4K' },
] as const;

const part = z.looseObject({ inlineData: z.object({ mimeType: z.string(), data: z.base64() }).optional() });
const answerSchema = z.looseObject({
  promptFeedback: z.looseObject({ blockReason: z.string().optional() }).optional(),
  candidates: z
    .array(
      z.looseObject({
        finishReason: z.string().optional(),
        content: z.looseObject({ parts: z.array(part).default([]) }).optional(),
      }),
    )
    .default([]),
});

/**
 * Google's Gemini image models by their REST interface (`models/{model}:generateContent`): the picture and the
 * prompt go out, a picture comes back.
 */
export class GeminiModel extends ModelProvider {
  readonly modelName: string;
  readonly temperature: number;
  private readonly log = new Logger('gemini');
  private readonly agent = new Agent({ connections: CONNECTIONS_MAX });

  constructor(private readonly options: GeminiOptions) {
    super();
    this.modelName = options.model;
    this.temperature = options.temperature;
  }

  async generate({
    picture,
    prompt,
    sidePixels,
    format,
    signal,
  }: GenerationRequest): Promise<GeneratedPicture> {
    signal.throwIfAborted();
    const { width, height } = await sharp(picture).metadata();
    const sent = await sharp(picture).png().toBuffer();
    const answer = await this.ask(sent, prompt, sidePixels, signal);
    // The model chooses among its own proportions: the original's are restored.
    const fitted = sharp(answer).resize({ ...fitInside(width, height, sidePixels), fit: 'cover' });
    const generated = await written(fitted, format);
    signal.throwIfAborted();
    return generated;
  }

  async close(): Promise<void> {
    await this.agent.close();
  }

  private async ask(
    picture: Buffer,
    prompt: string,
    sidePixels: number,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const { baseUrl, apiKey, model, temperature } = this.options;
    const { imageSize } = SIZES.find((size) => sidePixels <= size.sidePixels)!;
    let statusCode: number;
    let text: string;
    try {
      const response = await request(
        new URL(`/v1beta/models/${encodeURIComponent(model)}:generateContent`, baseUrl),
        {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-goog-api-key': apiKey },
          body: JSON.stringify({
            contents: [
              {
                role: 'user',
                parts: [
                  { text: prompt },
                  { inlineData: { mimeType: 'image/png', data: picture.toString('base64') } },
                ],
              },
            ],
            generationConfig: { temperature, responseModalities: ['IMAGE'], imageConfig: { imageSize } },
          }),
          dispatcher: this.agent,
          signal,
        },
      );
      statusCode = response.statusCode;
      text = await readText(response.body, ANSWER_BYTES_MAX);
    } catch (error) {
      signal.throwIfAborted();
      throw unavailable(error);
    }
    if (statusCode < 400) return pictureOf(text);
    if (REFUSALS.includes(statusCode) && !OUR_FAULT.test(text))
      throw refused(`the model answered ${statusCode}`);
    // Busy is Google's affair and passes; what is left of the 4xx somebody of us has to mend.
    if (statusCode !== 429 && statusCode < 500)
      this.log.error(`${model} answered ${statusCode}: look at GEMINI_API_KEY and GEMINI_MODEL`);
    throw unavailable(new Error(`the model answered ${statusCode}`));
  }
}

function pictureOf(text: string): Buffer {
  const answer = answerSchema.safeParse(parsed(text));
  if (!answer.success) throw unavailable(answer.error);
  const { promptFeedback, candidates } = answer.data;
  const inline = candidates
    .flatMap(({ content }) => content?.parts ?? [])
    .find(({ inlineData }) => inlineData)?.inlineData;
  if (inline) return Buffer.from(inline.data, 'base64');
  throw refused(
    promptFeedback?.blockReason ?? candidates[0]?.finishReason ?? 'it answered without a picture',
  );
}

/** The size that fits the picture into a square of this side, as libvips rounds it. */
function fitInside(width: number, height: number, side: number): { width: number; height: number } {
  const scale = side / Math.max(width, height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const refused = (why: string) =>
  new DomainError({
    kind: 'unprocessable',
    code: 'studio.enhancement.model_refused',
    detail: `The model refused this picture (${why}). Nothing was charged.`,
  });

const unavailable = (cause: unknown) =>
  new DomainError({
    kind: 'unavailable',
    code: 'studio.enhancement.model_unavailable',
    detail: 'The model cannot be had right now.',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    cause,
  });
