import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import sharp from 'sharp';
import { aPicture } from '../images/pictures.fixture.js';
import { GeminiModel } from './gemini-model.client.js';
import { LocalModel } from './local-model.js';
import type { GenerationRequest, ModelProvider } from './model-provider.js';

interface Opened {
  readonly model: ModelProvider;
  close(): Promise<void>;
}

const SIZE_OF = new Map([
  ['1K', 1_024],
  ['2K', 2_048],
  ['4K', 4_096],
]);

interface GeminiBody {
  readonly contents: readonly [
    { readonly parts: readonly [{ text: string }, { inlineData: { data: string } }] },
  ];
  readonly generationConfig: { readonly imageConfig: { readonly imageSize: string } };
}

/** Answers as the REST interface of Gemini does, with a square picture of the asked size. */
async function geminiAnswer(body: GeminiBody): Promise<object> {
  const side = SIZE_OF.get(body.generationConfig.imageConfig.imageSize);
  const picture = Buffer.from(body.contents[0].parts[1].inlineData.data, 'base64');
  const data = (await sharp(picture).resize(side, side, { fit: 'fill' }).png().toBuffer()).toString('base64');
  return {
    candidates: [
      { finishReason: 'STOP', content: { parts: [{ inlineData: { mimeType: 'image/png', data } }] } },
    ],
  };
}

async function startGemini(respond: (body: GeminiBody) => Promise<[status: number, body: object]>) {
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const authorised =
        request.headers['x-goog-api-key'] === 'the-key' &&
        request.url === '/v1beta/models/an-image-model:generateContent';
      const answer = authorised
        ? respond(JSON.parse(Buffer.concat(chunks).toString()) as GeminiBody)
        : Promise.resolve([403, {}] as const);
      void answer.then(([status, body]) => response.writeHead(status).end(JSON.stringify(body)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const model = new GeminiModel({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    apiKey: 'the-key',
    model: 'an-image-model',
    temperature: 0.4,
  });
  return {
    model,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await model.close();
    },
  };
}

const local = (): Promise<Opened> =>
  Promise.resolve({ model: new LocalModel(), close: () => Promise.resolve() });
const gemini = (): Promise<Opened> => startGemini(async (body) => [200, await geminiAnswer(body)]);

const aRequest = async (overrides: Partial<GenerationRequest> = {}): Promise<GenerationRequest> => ({
  picture: await aPicture().png().toBuffer(),
  prompt: 'Enhance this picture.',
  sidePixels: 512,
  format: 'png',
  signal: new AbortController().signal,
  ...overrides,
});

describe.each([
  ['the local model', local],
  ['Gemini', gemini],
])('the model provider %s', (_, open) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());

  it.each([
    ['landscape', { width: 160, height: 120 }, { width: 1_024, height: 768 }],
    ['portrait', { width: 90, height: 160 }, { width: 576, height: 1_024 }],
    ['very wide', { width: 600, height: 2 }, { width: 1_024, height: 3 }],
  ])('gives a %s picture the asked side and keeps its proportions', async (_name, size, expected) => {
    const picture = await aPicture(size).png().toBuffer();
    const generated = await opened.model.generate(await aRequest({ picture, sidePixels: 1_024 }));
    expect({ width: generated.width, height: generated.height }).toEqual(expected);
    expect(await sharp(generated.bytes).metadata()).toMatchObject(expected);
  });

  it.each(['jpeg', 'png', 'webp'] as const)(
    'answers in the asked format %s, without metadata',
    async (format) => {
      const generated = await opened.model.generate(await aRequest({ format }));
      const metadata = await sharp(generated.bytes).metadata();
      expect(metadata.format).toBe(format);
      expect(metadata.exif).toBeUndefined();
    },
  );

  it('shows the same picture: the mean colour stays near', async () => {
    const request = await aRequest();
    const before = await sharp(request.picture).stats();
    const after = await sharp((await opened.model.generate(request)).bytes).stats();
    for (const [i, channel] of before.channels.entries())
      expect(Math.abs(channel.mean - after.channels[i]!.mean)).toBeLessThan(25);
  });

  it('ends with the reason of an aborted signal', async () => {
    await expect(
      opened.model.generate(await aRequest({ signal: AbortSignal.abort(new Error('stop')) })),
    ).rejects.toThrow('stop');
    const later = new AbortController();
    const work = opened.model.generate(await aRequest({ signal: later.signal, sidePixels: 4_096 }));
    later.abort(new Error('stop now'));
    await expect(work).rejects.toThrow('stop now');
  });

  it('names its model', () => {
    expect(opened.model.modelName).not.toBe('');
  });
});

describe('the local model', () => {
  it('gives the same bytes for the same picture', async () => {
    const [one, two] = await Promise.all([
      new LocalModel().generate(await aRequest()),
      new LocalModel().generate(await aRequest()),
    ]);
    expect(one.bytes.equals(two.bytes)).toBe(true);
  });
});

describe('Gemini', () => {
  it.each<[string, number, object, string, string]>([
    ['a blocked prompt', 200, { promptFeedback: { blockReason: 'SAFETY' } }, 'unprocessable', 'SAFETY'],
    [
      'an answer in words',
      200,
      { candidates: [{ finishReason: 'STOP', content: { parts: [{ text: 'no' }] } }] },
      'unprocessable',
      'STOP',
    ],
    ['a refused request', 400, { error: {} }, 'unprocessable', '400'],
    ['a picture that is too large', 413, {}, 'unprocessable', '413'],
    ['a revoked key', 403, {}, 'unavailable', 'right now'],
    ['a model that is not there', 404, {}, 'unavailable', 'right now'],
    [
      'a key that is none',
      400,
      { error: { details: [{ reason: 'API_KEY_INVALID' }] } },
      'unavailable',
      'right now',
    ],
    ['a full quota', 429, {}, 'unavailable', 'right now'],
    ['a fault', 500, {}, 'unavailable', 'right now'],
    ['an answer of another shape', 200, { candidates: 'none' }, 'unavailable', 'right now'],
  ])('tells %s apart: final or to be tried again', async (name, status, body, kind, words) => {
    const told = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    const { model, close } = await startGemini(() => Promise.resolve([status, body]));
    await expect(model.generate(await aRequest())).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(words),
    });
    await close();
    // What passes by itself is nobody's to mend.
    const isOurs = ['a revoked key', 'a model that is not there', 'a key that is none'].includes(name);
    expect(told.mock.calls).toEqual(isOurs ? [[expect.stringContaining('look at GEMINI_API_KEY')]] : []);
    told.mockRestore();
  });
});
