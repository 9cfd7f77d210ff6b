import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { ActorSigner } from '@atelier/auth';
import { JobFinished, JobRequested } from '@atelier/contracts/studio/job.events';
import { jobView } from '@atelier/contracts/studio/jobs.api';
import { aUser, eventually, startService, type Client, type ServiceUnderTest } from '@atelier/testing';
import { aFlatPicture, aFramedPicture, aPicture, uploadForm } from '../images/pictures.fixture.js';
import { studioConfig } from '../studio.config.js';
import { StudioModule } from '../studio.module.js';
import { startLedgerFixture, type LedgerFixture } from './ledger.fixture.js';

describe('enhancing an image', () => {
  let ledger: LedgerFixture;
  let objects: string;
  let studio: ServiceUnderTest;

  beforeAll(async () => {
    ledger = await startLedgerFixture(1_000);
    objects = await mkdtemp(join(tmpdir(), 'studio-'));
    studio = await startService(StudioModule, studioConfig, {
      LEDGER_URL: ledger.url,
      LEDGER_TIMEOUT_MS: '30000',
      OBJECTS_DIR: objects,
      JOB_POLL_MS: '50',
      JOB_STREAM_POLL_MS: '20',
    });
  });
  afterAll(async () => {
    await studio?.close();
    await ledger?.close();
    await rm(objects, { recursive: true, force: true });
  });

  const uploaded = async (client: Client, picture: Sharp): Promise<string> => {
    const answer = await client.post('/api/v1/images', uploadForm(await picture.png().toBuffer()));
    expect(answer.status).toBe(201);
    return answer.body.id as string;
  };
  const ended = (client: Client, jobId: string) =>
    eventually(async () => {
      const { body } = await client.get(`/api/v1/jobs/${jobId}`);
      if (body.status === 'pending' || body.status === 'processing')
        throw new Error(`still ${String(body.status)}`);
      return body;
    });
  const factsOf = async (jobId: string) => ({
    requested: (await studio.facts(JobRequested)).filter(({ subject }) => subject === jobId),
    finished: (await studio.facts(JobFinished)).filter(({ subject }) => subject === jobId),
  });

  it('holds the credits, runs the stages, and charges the completed job once, which keeps the measures of both pictures (R261, R268, R270, R271)', async () => {
    const user = aUser();
    const client = studio.as(user);
    const imageId = await uploaded(client, await aFramedPicture(20));
    const accepted = await client.post(
      `/api/v1/images/${imageId}/enhancements`,
      { tier: 'tier_1k' },
      { 'x-correlation-id': 'the-story' },
    );
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('location')).toBe(`/api/v1/jobs/${String(accepted.body.id)}`);
    expect(accepted.body).toMatchObject({ status: 'pending', costCredits: 2, chargedCredits: 0 });
    expect(ledger.holds).toContainEqual(
      expect.objectContaining({
        holdId: accepted.body.holdId,
        userId: user.id,
        amount: 2,
        sourceId: accepted.body.id,
        type: 'spend_enhancement',
      }),
    );

    const job = jobView.parse(await ended(client, accepted.body.id));
    expect(job).toMatchObject({
      status: 'completed',
      progress: 100,
      chargedCredits: 2,
      wasCropped: true,
      cropDimensions: { x: 20, y: 20, w: 160, h: 120 },
      error: null,
    });
    expect(job.prompt).toContain('1024 pixels');
    expect(job.result).toMatchObject({ width: 1_024, height: 768, sizeBytes: expect.any(Number) });
    const stored = studio.database.connection.collection('image_enhancement_jobs');
    expect(await stored.findOne({ _id: job.id as never })).toMatchObject({
      analysisResult: { width: 200, height: 160 },
      enhancedWidth: 1_024,
      enhancedHeight: 768,
    });

    const file = await fetch(studio.url + job.result!.fileUrl, {
      headers: { 'x-atelier-actor': await studio.app.get(ActorSigner).sign(user) },
    });
    expect(file.headers.get('content-type')).toBe('image/png');
    expect(await sharp(Buffer.from(await file.arrayBuffer())).metadata()).toMatchObject({
      width: 1_024,
      height: 768,
    });

    const { requested, finished } = await factsOf(job.id);
    expect(requested).toHaveLength(1);
    expect(finished).toHaveLength(1);
    expect(finished[0]).toMatchObject({
      correlationId: 'the-story',
      data: {
        outcome: 'completed',
        chargedCredits: 2,
        holdId: accepted.body.holdId,
        userId: user.id,
        resultId: job.id,
      },
    });
  });

  it('fails a flat picture while it runs and charges nothing', async () => {
    const client = studio.as(aUser());
    const imageId = await uploaded(client, aFlatPicture());
    const { body } = await client.post(`/api/v1/images/${imageId}/enhancements`, { tier: 'tier_2k' });
    const job = await ended(client, body.id);
    expect(job).toMatchObject({
      status: 'failed',
      currentStage: 'analyzing',
      chargedCredits: 0,
      retryCount: 0,
      error: { code: 'studio.enhancement.nothing_to_enhance' },
    });
    const { finished } = await factsOf(job.id);
    expect(finished.map(({ data }) => [data.outcome, data.chargedCredits, data.reason])).toEqual([
      ['failed', 0, 'studio.enhancement.nothing_to_enhance'],
    ]);
  });

  it('passes 402 through and states no fact about the refused job', async () => {
    const client = studio.as(aUser());
    const imageId = await uploaded(client, aPicture());
    ledger.available = 1;
    const refused = await client.post(`/api/v1/images/${imageId}/enhancements`, { tier: 'tier_4k' });
    ledger.available = 1_000;
    expect(refused.status).toBe(402);
    expect(refused.body).toMatchObject({ code: 'ledger.credits.insufficient', available: 1, required: 10 });
    const { body } = await client.get('/api/v1/jobs');
    expect(body.items).toMatchObject([
      { status: 'failed', chargedCredits: 0, error: { code: 'ledger.credits.insufficient' } },
    ]);
    expect(await factsOf(body.items[0].id)).toEqual({ requested: [], finished: [] });
  });

  it('makes one job and one hold of a request that is repeated with its key, also across an outage of the ledger', async () => {
    const client = studio.as(aUser());
    const imageId = await uploaded(client, aPicture());
    const path = `/api/v1/images/${imageId}/enhancements`;
    const key = { 'idempotency-key': 'again and again' };
    ledger.down = true;
    const unanswered = await client.post(path, { tier: 'tier_1k' }, key);
    ledger.down = false;
    expect([unanswered.status, unanswered.body.code]).toEqual([503, 'ledger.unavailable']);
    const first = await client.post(path, { tier: 'tier_1k' }, key);
    const repeat = await client.post(path, { tier: 'tier_1k' }, key);
    const other = await client.post(path, { tier: 'tier_2k' }, key);
    expect([first.status, repeat.status, other.status]).toEqual([202, 202, 422]);
    expect(repeat.body).toEqual(first.body);
    expect(repeat.headers.get('idempotency-replayed')).toBe('true');
    const { body } = await client.get('/api/v1/jobs');
    expect(body.items).toHaveLength(1);
    expect(ledger.holds.filter(({ sourceId }) => sourceId === first.body.id)).toHaveLength(1);
  });

  it('asks for no hold when the tier is free (R261)', async () => {
    const client = studio.as(aUser());
    const imageId = await uploaded(client, aPicture());
    const { body } = await client.post(`/api/v1/images/${imageId}/enhancements`, { tier: 'free' });
    const job = await ended(client, body.id);
    expect(job).toMatchObject({
      status: 'completed',
      holdId: null,
      chargedCredits: 0,
      result: { width: 512 },
    });
    expect(ledger.holds.some(({ sourceId }) => sourceId === body.id)).toBe(false);
  });

  it('shows jobs, their events, files and images to their owner only', async () => {
    const owner = studio.as(aUser());
    const stranger = studio.as(aUser());
    const imageId = await uploaded(owner, aPicture());
    const { body } = await owner.post(`/api/v1/images/${imageId}/enhancements`, { tier: 'free' });
    const job = await ended(owner, body.id);
    for (const path of [
      `/jobs/${String(job.id)}`,
      `/jobs/${String(job.id)}/events`,
      `/images/${imageId}`,
      `/images/${imageId}/file`,
    ]) {
      expect((await stranger.get(`/api/v1${path}`)).status).toBe(404);
    }
    expect((await stranger.post(`/api/v1/jobs/${String(job.id)}/cancel`)).status).toBe(404);
    expect((await stranger.post(`/api/v1/images/${imageId}/enhancements`, { tier: 'free' })).status).toBe(
      404,
    );
    expect((await stranger.get('/api/v1/jobs')).body.items).toEqual([]);
    const other = await uploaded(stranger, aPicture());
    expect((await stranger.get(`/api/v1/images/${other}/file?variant=${String(job.id)}`)).status).toBe(404);
    expect((await owner.get(`/api/v1/images/${imageId}/file?variant=enhanced`)).status).toBe(200);
  });

  it('says of a picture that is missing in the store that it is damaged, and gives no ETag for it', async () => {
    const client = studio.as(aUser());
    const imageId = await uploaded(client, aPicture());
    const { headers } = await client.get(`/api/v1/images/${imageId}/file`);
    const [original] = (await readdir(join(objects, 'originals'))).filter((name) => name.startsWith(imageId));
    await rm(join(objects, 'originals', original!));
    const missing = await client.get(`/api/v1/images/${imageId}/file`);
    expect([missing.status, missing.body.code]).toEqual([410, 'studio.image.file_damaged']);
    expect(headers.get('etag')).not.toBeNull();
    expect(missing.headers.get('etag')).toBeNull();
    const { body } = await client.post(`/api/v1/images/${imageId}/enhancements`, { tier: 'tier_1k' });
    expect(await ended(client, body.id)).toMatchObject({
      status: 'failed',
      chargedCredits: 0,
      error: { code: 'studio.image.file_damaged' },
    });
  });

  it('streams every change until the end, and nothing twice after a reconnection', async () => {
    const client = studio.as(aUser());
    const imageId = await uploaded(client, aPicture());
    const { body } = await client.post(`/api/v1/images/${imageId}/enhancements`, { tier: 'tier_1k' });
    const stream = await client.get(`/api/v1/jobs/${String(body.id)}/events`);
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    const events = eventsOf(stream.body);
    expect(events.at(-1)?.data).toMatchObject({ id: body.id, status: 'completed', progress: 100 });
    const ids = events.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    const last = String(ids.at(-1));
    expect(
      (await client.get(`/api/v1/jobs/${String(body.id)}/events`, { 'last-event-id': last })).status,
    ).toBe(204);
    const behind = await client.get(`/api/v1/jobs/${String(body.id)}/events`, {
      'last-event-id': String(Number(last) - 1),
    });
    expect(eventsOf(behind.body).map(({ id }) => id)).toEqual([Number(last)]);
  });

  it.each([
    ['an unknown tier', { tier: 'tier_8k' }],
    ['no tier', {}],
    ['an unknown field', { tier: 'free', costCredits: 0 }],
  ])('refuses %s with 400 and makes no job', async (_, request) => {
    const client = studio.as(aUser());
    const imageId = await uploaded(client, aPicture());
    const answer = await client.post(`/api/v1/images/${imageId}/enhancements`, request);
    expect([answer.status, answer.body.code]).toEqual([400, 'platform.request.invalid']);
    expect((await client.get('/api/v1/jobs')).body.items).toEqual([]);
  });
});

function eventsOf(text: string): { id: number; data: Record<string, unknown> }[] {
  return [...text.matchAll(/^id: (\d+)\nevent: job\ndata: (.*)$/gm)].map(([, id, data]) => ({
    id: Number(id),
    data: JSON.parse(data!) as Record<string, unknown>,
  }));
}
