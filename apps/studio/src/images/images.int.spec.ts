import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { imageView } from '@atelier/contracts/studio/images.api';
import { aService, aUser, aVisitor, startService, type ServiceUnderTest } from '@atelier/testing';
import { studioConfig } from '../studio.config.js';
import { StudioModule } from '../studio.module.js';
import { aPicture, uploadForm } from './pictures.fixture.js';

const IMAGES = '/api/v1/images';
const BYTES_MAX = 300_000;

describe('uploading images', () => {
  let studio: ServiceUnderTest;
  let objects: string;
  beforeAll(async () => {
    objects = await mkdtemp(join(tmpdir(), 'studio-'));
    studio = await startService(StudioModule, studioConfig, {
      OBJECTS_DIR: objects,
      IMAGE_BYTES_MAX: String(BYTES_MAX),
      IMAGE_PIXELS_MAX: '1000000',
      JOBS_AT_ONCE_MAX: '0',
    });
  });
  afterAll(async () => {
    await studio?.close();
    await rm(objects, { recursive: true, force: true });
  });

  it('stores the picture upright and without its metadata', async () => {
    const user = aUser();
    const photo = await aPicture({ width: 80, height: 40 })
      .jpeg()
      .withExif({ IFD0: { Copyright: 'somebody' }, IFD3: { GPSLatitude: '48/1 12/1 0/1' } })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    expect((await sharp(photo).metadata()).exif).toBeDefined();
    const { status, body } = await studio
      .as(user)
      .post(IMAGES, uploadForm(photo, 'me.png', { description: 'a photo' }));
    expect(status).toBe(201);
    const image = imageView.parse(body);
    expect(image).toMatchObject({
      name: 'me.png',
      description: 'a photo',
      width: 40,
      height: 80,
      format: 'jpeg',
      isPublic: false,
    });

    const row = await studio.database.connection
      .db!.collection('enhanced_images')
      .findOne({ _id: image.id as never });
    const stored = await sharp(join(objects, String(row!['originalKey']))).metadata();
    expect(stored).toMatchObject({ width: 40, height: 80, format: 'jpeg' });
    expect([stored.exif, stored.orientation]).toEqual([undefined, undefined]);
  });

  it('answers a repeat with the same image and refuses the key for another file', async () => {
    const client = studio.as(aUser());
    const [one, two] = await Promise.all([
      aPicture().png().toBuffer(),
      aPicture({ width: 50, height: 50 }).png().toBuffer(),
    ]);
    const key = { 'idempotency-key': 'upload 1' };
    const first = await client.post(IMAGES, uploadForm(one), key);
    const repeat = await client.post(IMAGES, uploadForm(one), key);
    const other = await client.post(IMAGES, uploadForm(two), key);
    expect(repeat.body).toEqual(first.body);
    expect(repeat.headers.get('idempotency-replayed')).toBe('true');
    expect([other.status, other.body.code]).toEqual([422, 'platform.idempotency.key_reused']);
    expect((await client.get(IMAGES)).body.items).toHaveLength(1);
  });

  const form = async (change: (form: FormData) => void): Promise<FormData> => {
    const body = uploadForm(await aPicture().png().toBuffer());
    change(body);
    return body;
  };
  const noise = (): Buffer => {
    const bytes = Buffer.alloc(400 * 400 * 3);
    for (let i = 0, seed = 1; i < bytes.length; i++)
      bytes[i] = (seed = (seed * 48_271) % 2_147_483_647) & 255;
    return bytes;
  };
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';

  it.each<[string, () => Promise<unknown>, number, string]>([
    [
      'text with the name of a picture',
      async () => uploadForm(Buffer.from('no picture')),
      415,
      'studio.image.not_a_picture',
    ],
    ['an SVG', async () => uploadForm(Buffer.from(svg), 'a.png'), 415, 'studio.image.not_a_picture'],
    ['a GIF', async () => uploadForm(await aPicture().gif().toBuffer()), 415, 'studio.image.not_a_picture'],
    ['an empty file', async () => uploadForm(Buffer.alloc(0)), 415, 'studio.image.not_a_picture'],
    [
      'half a picture',
      async () =>
        uploadForm((await aPicture({ width: 400, height: 400 }).jpeg().toBuffer()).subarray(0, 4_000)),
      422,
      'studio.image.broken',
    ],
    [
      'too many bytes',
      async () =>
        uploadForm(
          await sharp(noise(), { raw: { width: 400, height: 400, channels: 3 } })
            .png()
            .toBuffer(),
        ),
      413,
      'studio.image.too_large',
    ],
    [
      'too many pixels',
      async () =>
        uploadForm(
          await sharp({ create: { width: 1_001, height: 1_000, channels: 3, background: '#fff' } })
            .png()
            .toBuffer(),
        ),
      413,
      'studio.image.too_many_pixels',
    ],
    ['no file', () => form((body) => body.delete('file')), 400, 'studio.upload.invalid'],
    [
      'a file in another part',
      () => form((body) => body.set('avatar', new Blob(['x']), 'x.png')),
      400,
      'studio.upload.invalid',
    ],
    ['an unknown field', () => form((body) => body.set('isPublic', 'true')), 400, 'platform.request.invalid'],
    [
      'an endless name',
      () => form((body) => body.set('name', 'x'.repeat(200))),
      400,
      'platform.request.invalid',
    ],
    ['JSON', async () => ({ file: 'x' }), 415, 'studio.upload.not_multipart'],
  ])('refuses %s and stores nothing', async (_, body, status, code) => {
    const client = studio.as(aUser());
    const before = await readdir(join(objects, 'originals')).catch(() => []);
    const answer = await client.post(IMAGES, await body());
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(JSON.stringify(answer.body)).not.toMatch(/stack|node_modules|vips/i);
    expect((await client.get(IMAGES)).body.items).toEqual([]);
    expect(await readdir(join(objects, 'originals')).catch(() => [])).toEqual(before);
  });

  it('refuses a body that breaks the multipart format', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    const answer = await studio
      .as(aUser())
      .post(IMAGES, '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx', headers);
    expect([answer.status, answer.body.code]).toEqual([400, 'studio.upload.invalid']);
  });

  it('takes pictures from signed-in people only', async () => {
    const body = async () => uploadForm(await aPicture().png().toBuffer());
    expect((await studio.as(aVisitor).post(IMAGES, await body())).status).toBe(401);
    expect((await studio.as(aService('commerce')).post(IMAGES, await body())).status).toBe(403);
  });

  it('lists the own images newest first, page by page', async () => {
    const client = studio.as(aUser());
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { body } = await client.post(IMAGES, uploadForm(await aPicture().png().toBuffer(), `${i}.png`));
      ids.unshift(body.id as string);
    }
    const first = await client.get(`${IMAGES}?limit=2`);
    expect(first.headers.get('link')).toContain('rel="next"');
    const second = await client.get(`${IMAGES}?limit=2&cursor=${String(first.body.nextCursor)}`);
    expect([...first.body.items, ...second.body.items].map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(second.body.nextCursor).toBeNull();
    expect((await client.get(`${IMAGES}?cursor=x`)).body.code).toBe('platform.cursor.invalid');
  });

  it('answers the file with its hash as ETag, and 304 to who has it', async () => {
    const client = studio.as(aUser());
    const { body } = await client.post(IMAGES, uploadForm(await aPicture().webp().toBuffer(), 'a.webp'));
    const file = await client.get(body.fileUrl as string);
    expect([file.status, file.headers.get('content-type'), file.headers.get('content-length')]).toEqual([
      200,
      'image/webp',
      String(body.sizeBytes),
    ]);
    expect(file.headers.get('x-content-type-options')).toBe('nosniff');
    const etag = `"${String(body.sha256)}"`;
    expect(file.headers.get('etag')).toBe(etag);
    expect((await client.get(body.fileUrl as string, { 'if-none-match': etag })).status).toBe(304);
    expect((await client.get(`${String(body.fileUrl)}?variant=enhanced`)).body.code).toBe(
      'studio.enhancement.no_result',
    );
    expect((await client.get(`${String(body.fileUrl)}?variant=thumbnail`)).status).toBe(400);
  });

  it('hides a deleted image and keeps its document', async () => {
    const user = aUser();
    const client = studio.as(user);
    const { body } = await client.post(IMAGES, uploadForm(await aPicture().png().toBuffer()));
    expect((await studio.as(aUser()).delete(`${IMAGES}/${String(body.id)}`)).status).toBe(404);
    expect((await client.delete(`${IMAGES}/${String(body.id)}`)).status).toBe(204);
    for (const path of [`${IMAGES}/${String(body.id)}`, body.fileUrl as string])
      expect((await client.get(path)).status).toBe(404);
    expect((await client.delete(`${IMAGES}/${String(body.id)}`)).status).toBe(404);
    expect((await client.get(IMAGES)).body.items).toEqual([]);
    const row = await studio.database.connection
      .db!.collection('enhanced_images')
      .findOne({ _id: body.id as never });
    expect(row).toMatchObject({ deletedBy: user.id, deletedAt: expect.any(Date) });
  });
});
