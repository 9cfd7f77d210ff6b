import sharp, { type Sharp } from 'sharp';
import { newId } from '@atelier/kernel';
import { aContext } from '@atelier/testing';
import { aFlatPicture, aFramedPicture, aPicture } from '../images/pictures.fixture.js';
import { OPEN_JOBS_PER_USER_MAX, requestEnhancement, TIERS } from './enhancement.domain.js';
import { analyse, crop, findCrop, writePrompt } from './picture-pipeline.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');
const png = async (picture: Sharp | Promise<Sharp>) => (await picture).png().toBuffer();

describe('looking at a picture', () => {
  it.each([
    ['landscape', { width: 160, height: 90 }],
    ['portrait', { width: 90, height: 160 }],
    ['square', { width: 100, height: 100 }],
  ])('sees that it is %s', async (orientation, size) => {
    expect(await analyse(await png(aPicture(size)))).toMatchObject({ orientation, ...size, hasAlpha: false });
  });

  it('refuses one flat tone, also as a JPEG', async () => {
    const refusal = { code: 'studio.enhancement.nothing_to_enhance', kind: 'unprocessable' };
    await expect(analyse(await png(aFlatPicture()))).rejects.toMatchObject(refusal);
    await expect(analyse(await aFlatPicture().jpeg().toBuffer())).rejects.toMatchObject(refusal);
  });

  it('does not take a shape on a transparent ground for flat', async () => {
    const ground = {
      width: 60,
      height: 60,
      channels: 4 as const,
      background: { r: 0, g: 0, b: 0, alpha: 0 },
    };
    const shape = await png(sharp({ create: { width: 20, height: 20, channels: 4, background: '#000000' } }));
    const logo = sharp({ create: ground }).composite([{ input: shape, gravity: 'centre' }]);
    expect((await analyse(await png(logo))).hasAlpha).toBe(true);
  });

  it('finds a border, cuts it off, and leaves a picture without one alone (R263)', async () => {
    const framed = await png(aFramedPicture(15));
    const box = await findCrop(framed, await analyse(framed));
    expect(box).toEqual({ x: 15, y: 15, w: 160, h: 120 });
    expect(await sharp(await crop(framed, box!)).metadata()).toMatchObject({ width: 160, height: 120 });
    const plain = await png(aPicture());
    expect(await findCrop(plain, await analyse(plain))).toBeNull();
  });

  it('keeps the border when almost nothing would be left', async () => {
    const framed = await png(aFramedPicture(300, { width: 40, height: 40 }));
    expect(await findCrop(framed, await analyse(framed))).toBeNull();
  });

  it('can look at a picture of two pixels', async () => {
    const tiny = await sharp(Buffer.from([0, 0, 0, 255, 255, 255]), {
      raw: { width: 2, height: 1, channels: 3 },
    })
      .png()
      .toBuffer();
    expect(await findCrop(tiny, await analyse(tiny))).toBeNull();
  });

  it('writes the same prompt for the same picture, and another for a darker one', async () => {
    const bright = await analyse(await png(aPicture()));
    const dark = await analyse(await png(aPicture().linear(0.2, 0)));
    expect(writePrompt(bright, null, 1_024)).toBe(writePrompt({ ...bright }, null, 1_024));
    expect(writePrompt(dark, null, 1_024)).toContain('lift the shadows');
    expect(writePrompt(bright, null, 1_024)).not.toContain('lift the shadows');
  });
});

describe('requesting an enhancement', () => {
  const request = (tier: keyof typeof TIERS, openJobs = 0) =>
    requestEnhancement(
      {
        id: newId('job'),
        userId: newId('usr'),
        image: { id: newId('img'), name: 'cat.png' },
        tier,
        openJobs,
      },
      aContext(),
      NOW,
    );

  it.each([
    ['free', 0, 512],
    ['tier_1k', 2, 1_024],
    ['tier_2k', 5, 2_048],
    ['tier_4k', 10, 4_096],
  ] as const)('offers %s for %i credits and %i pixels (R261)', (tier, costCredits, sidePixels) => {
    expect(TIERS[tier]).toEqual({ costCredits, sidePixels });
    const { state, events } = request(tier);
    expect(state).toMatchObject({
      status: 'pending',
      costCredits,
      queuedAt: null,
      isBlend: false,
      isAnonymous: false,
      maxRetries: 3,
    });
    expect(state.holdId === null).toBe(costCredits === 0);
    expect(events).toEqual([]);
  });

  it('is refused while too many jobs are open', () => {
    expect(() => request('free', OPEN_JOBS_PER_USER_MAX)).toThrow('have not ended');
  });
});
