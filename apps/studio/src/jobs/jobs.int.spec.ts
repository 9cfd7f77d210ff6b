import { jest } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobFinished } from '@atelier/contracts/studio/job.events';
import { Clock } from '@atelier/kernel';
import { EventBus, fromRecord } from '@atelier/messaging';
import { Logger } from '@atelier/observability';
import { createService, HealthRegistry, ShutdownSequence, type RunningService } from '@atelier/service';
import {
  aContext,
  aUser,
  eventually,
  infrastructure,
  startService,
  type Client,
  type ServiceUnderTest,
} from '@atelier/testing';
import { OPEN_JOBS_PER_USER_MAX, type EnhancementJob } from '../enhancements/enhancement.domain.js';
import { EnhancementRepository } from '../enhancements/enhancement.repository.js';
import { startLedgerFixture, type LedgerFixture } from '../enhancements/ledger.fixture.js';
import { aPicture, uploadForm } from '../images/pictures.fixture.js';
import { ModelProvider } from '../models/model-provider.js';
import { ObjectStore } from '../objects/object-store.js';
import { studioConfig } from '../studio.config.js';
import { StudioModule } from '../studio.module.js';
import { JobBell } from './job-bell.js';
import { JobStreams, type JobStreamLimits } from './job-streams.js';
import { JobSweeper } from './job-sweeper.process.js';
import { completeJob, isIntent, LeaseLost } from './job.domain.js';
import { SettleJob } from './settle-job.usecase.js';

const LEASE_MS = 60_000;
const DAY_MS = 86_400_000;

describe('the life of a job', () => {
  let ledger: LedgerFixture;
  let objects: string;
  /** Answers requests and sweeps; it takes no job, so a test decides who does. */
  let front: ServiceUnderTest;
  let jobs: EnhancementRepository;
  const replicas: RunningService[] = [];

  beforeAll(async () => {
    ledger = await startLedgerFixture(1_000);
    objects = await mkdtemp(join(tmpdir(), 'studio-'));
    front = await startService(StudioModule, studioConfig, { ...environment(), JOBS_AT_ONCE_MAX: '0' });
    jobs = front.app.get(EnhancementRepository);
  });
  afterEach(async () => {
    await Promise.all(replicas.splice(0).map((replica) => replica.close()));
    // Or the next test would take a job of this one.
    await front.database.connection.collection('image_enhancement_jobs').deleteMany({});
    await rm(join(objects, 'results'), { recursive: true, force: true });
  });
  afterAll(async () => {
    await front?.close();
    await ledger?.close();
    await rm(objects, { recursive: true, force: true });
  });

  const environment = () => ({
    LEDGER_URL: ledger.url,
    LEDGER_TIMEOUT_MS: '30000',
    OBJECTS_DIR: objects,
    JOB_POLL_MS: '50',
    JOB_SWEEP_MS: '50',
    JOB_BACKOFF_BASE_MS: '1',
    JOB_STREAM_POLL_MS: '20',
  });
  /** A second process of the service, as far as one process can have it: same database, workers of its own. */
  const startReplica = async (): Promise<RunningService> => {
    const replica = await createService(StudioModule, studioConfig, {
      ...environment(),
      PORT: '0',
      LOG_LEVEL: 'silent',
      ACTOR_SECRET: 'a-secret-of-the-tests-that-signs-actors',
      MONGODB_URI: infrastructure().mongodbUri,
      MONGODB_DATABASE: front.database.connection.name,
      KAFKA_BROKERS: 'memory',
    });
    replicas.push(replica);
    return replica;
  };
  /** Keeps a replica from the model, as long as its jobs are to be under way. */
  const gateAtModel = (replica: RunningService) => {
    const model = replica.app.get(ModelProvider);
    const generate = model.generate.bind(model);
    const [reached, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    jest.spyOn(model, 'generate').mockImplementation(async (request) => {
      reached.resolve();
      await open.promise;
      return generate(request);
    });
    return { reached: reached.promise, open: open.resolve };
  };
  const requested = async (client: Client, tier = 'tier_1k', size?: { width: number; height: number }) => {
    const image = await client.post('/api/v1/images', uploadForm(await aPicture(size).png().toBuffer()));
    const job = await client.post(`/api/v1/images/${String(image.body.id)}/enhancements`, { tier });
    return { imageId: image.body.id as string, jobId: job.body.id as string };
  };
  const becomes = (client: Client, jobId: string, status: string) =>
    eventually(async () => {
      const { body } = await client.get(`/api/v1/jobs/${jobId}`);
      if (body.status !== status)
        throw new Error(`${String(body.status)}, not ${status}: ${JSON.stringify(body.error)}`);
      return body;
    });
  /** Each process has a bus of its own here, and any of their relays may have published the fact. */
  const endings = async (jobId: string) => {
    await front.settled();
    const ends: [string, number][] = [];
    for (const bus of [front.bus, ...replicas.map(({ app }) => app.get(EventBus))]) {
      await bus.read(JobFinished.topic, (record) => {
        const { type, subject, data } = fromRecord(record);
        const { outcome, chargedCredits } = data as typeof JobFinished.example;
        if (type === JobFinished.type && subject === jobId) ends.push([outcome, chargedCredits]);
      });
    }
    return ends;
  };
  const settle = (
    decide: (job: EnhancementJob) => ReturnType<typeof completeJob<EnhancementJob>>,
    jobId: string,
  ) => front.app.get(SettleJob).execute(jobs, jobId, decide, aContext());

  it('gives the job of a dead worker to another, and ignores what the dead one still says', async () => {
    const client = front.as(aUser());
    const { jobId } = await requested(client);
    const claimed = await jobs.claim(1, new Date());
    expect(claimed).toMatchObject({ id: jobId, status: 'processing' });
    await startReplica();
    const job = await becomes(client, jobId, 'completed');
    expect(job.retryCount).toBe(1);
    expect(await endings(jobId)).toEqual([['completed', 2]]);

    const { leaseId } = claimed!;
    const late = settle(
      (current) =>
        completeJob(current, leaseId!, { resultId: 'x', fields: {} }, jobs.subjectOf(current), new Date()),
      jobId,
    );
    await expect(late).rejects.toThrow(LeaseLost);
    expect(await jobs.renew(jobId, leaseId!, LEASE_MS, new Date())).toBe(false);
    expect(await jobs.advance(jobId, leaseId!, { progress: 1 }, new Date())).toBe(false);
  });

  it('fails a job whose workers keep dying, after its retries, without a charge (R262)', async () => {
    const client = front.as(aUser());
    const { jobId } = await requested(client);
    for (let attempt = 0; attempt <= 3; attempt++) {
      await eventually(async () => {
        if (!(await jobs.claim(1, new Date()))) throw new Error('not free again yet');
      });
    }
    const job = await becomes(client, jobId, 'failed');
    expect(job).toMatchObject({ retryCount: 3, error: { code: 'studio.job.worker_lost' } });
    expect(await endings(jobId)).toEqual([['failed', 0]]);
  });

  it('gives each job to one of many that ask at once', async () => {
    const client = front.as(aUser());
    for (let i = 0; i < 6; i++) await requested(client, 'free', { width: 8, height: 8 });
    const claims = await Promise.all(Array.from({ length: 24 }, () => jobs.claim(LEASE_MS, new Date())));
    const ids = claims.flatMap((job) => (job ? [job.id] : []));
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
  });

  it('cancels a waiting job once, and a repeat answers the same', async () => {
    const client = front.as(aUser());
    const { jobId } = await requested(client);
    const first = await client.post(`/api/v1/jobs/${jobId}/cancel`);
    const repeat = await client.post(`/api/v1/jobs/${jobId}/cancel`);
    expect([first.status, repeat.status]).toEqual([200, 200]);
    expect(repeat.body).toEqual(first.body);
    expect(first.body.status).toBe('canceled');
    expect(await endings(jobId)).toEqual([['canceled', 0]]);
    expect(await jobs.claim(LEASE_MS, new Date())).toBeUndefined();
  });

  it('cancels a running job: its worker can write nothing more, and no result is kept', async () => {
    const client = front.as(aUser());
    const replica = await startReplica();
    const remove = jest.spyOn(replica.app.get(ObjectStore), 'remove');
    const model = gateAtModel(replica);
    const { jobId } = await requested(client);
    await model.reached;
    expect((await client.post(`/api/v1/jobs/${jobId}/cancel`)).status).toBe(200);
    model.open();
    // The worker hears of it when it is done.
    await eventually(() => expect(remove).toHaveBeenCalled());
    await replica.close();
    expect((await client.get(`/api/v1/jobs/${jobId}`)).body).toMatchObject({
      status: 'canceled',
      result: null,
    });
    expect(await endings(jobId)).toEqual([['canceled', 0]]);
    expect(await readdir(join(objects, 'results')).catch(() => [])).toEqual([]);
  });

  it('refuses to cancel what has ended', async () => {
    const client = front.as(aUser());
    const { jobId } = await requested(client, 'free');
    await startReplica();
    await becomes(client, jobId, 'completed');
    const answer = await client.post(`/api/v1/jobs/${jobId}/cancel`);
    expect([answer.status, answer.body.code, answer.body.jobStatus]).toEqual([
      409,
      'studio.job.wrong_state',
      'completed',
    ]);
  });

  it('lets one of completion and cancellation win when they race', async () => {
    const client = front.as(aUser());
    for (let round = 0; round < 5; round++) {
      const { jobId } = await requested(client);
      const { leaseId } = (await jobs.claim(LEASE_MS, new Date()))!;
      await Promise.allSettled([
        client.post(`/api/v1/jobs/${jobId}/cancel`),
        settle(
          (job) => completeJob(job, leaseId!, { resultId: 'x', fields: {} }, jobs.subjectOf(job), new Date()),
          jobId,
        ),
      ]);
      const { body } = await client.get(`/api/v1/jobs/${jobId}`);
      expect(await endings(jobId)).toEqual([
        body.status === 'completed' ? ['completed', 2] : ['canceled', 0],
      ]);
    }
  });

  it('goes back to the queue uncounted when its worker is stopped in good order', async () => {
    const client = front.as(aUser());
    const replica = await startReplica();
    const model = gateAtModel(replica);
    const { jobId } = await requested(client);
    await model.reached;
    await replica.close();
    expect((await client.get(`/api/v1/jobs/${jobId}`)).body).toMatchObject({
      status: 'pending',
      retryCount: 0,
    });
    await startReplica();
    await becomes(client, jobId, 'completed');
    expect(await endings(jobId)).toEqual([['completed', 2]]);
  });

  it('fails the job of an image that was deleted before it ran', async () => {
    const client = front.as(aUser());
    const { imageId, jobId } = await requested(client);
    expect((await client.delete(`/api/v1/images/${imageId}`)).status).toBe(204);
    await startReplica();
    expect((await becomes(client, jobId, 'failed')).error.code).toBe('studio.image.not_found');
    expect(await endings(jobId)).toEqual([['failed', 0]]);
  });

  it('fails the job of an image that was deleted while it ran, and charges nothing', async () => {
    const client = front.as(aUser());
    const model = gateAtModel(await startReplica());
    const { imageId, jobId } = await requested(client);
    await model.reached;
    expect((await client.delete(`/api/v1/images/${imageId}`)).status).toBe(204);
    model.open();
    expect((await becomes(client, jobId, 'failed')).error.code).toBe('studio.image.not_found');
    expect(await endings(jobId)).toEqual([['failed', 0]]);
    expect(await readdir(join(objects, 'results')).catch(() => [])).toEqual([]);
  });

  it('keeps the picture of a job that was completed although its worker never heard so', async () => {
    const client = front.as(aUser());
    const replica = await startReplica();
    const settleJob = replica.app.get(SettleJob);
    const execute = settleJob.execute.bind(settleJob);
    settleJob.execute = async (...args) => {
      const job = await execute(...args);
      if (job.status === 'completed') throw new Error('the answer to the commit was lost');
      return job;
    };
    const { imageId, jobId } = await requested(client);
    await becomes(client, jobId, 'completed');
    await replica.close();
    expect((await client.get(`/api/v1/images/${imageId}/file?variant=${jobId}`)).status).toBe(200);
    expect(await endings(jobId)).toEqual([['completed', 2]]);
  });

  it('is not given up when its credits were held between the sweeper’s look and its decision', async () => {
    const client = front.as(aUser());
    const image = await client.post('/api/v1/images', uploadForm(await aPicture().png().toBuffer()));
    const path = `/api/v1/images/${String(image.body.id)}/enhancements`;
    const request = () => client.post(path, { tier: 'tier_1k' }, { 'idempotency-key': 'again' });
    ledger.down = true;
    expect((await request()).status).toBe(503);
    ledger.down = false;
    const seen = (await jobs.overdue({ intentsBefore: new Date(), jobsBefore: new Date(0) }, 1))[0]!;
    expect(isIntent(seen)).toBe(true);
    expect((await request()).status).toBe(202);
    const behind = Object.assign(Object.create(jobs) as EnhancementRepository, {
      overdue: () => Promise.resolve([seen]),
    });
    await new JobSweeper({
      jobs: behind,
      bell: front.app.get(JobBell),
      settle: front.app.get(SettleJob),
      clock: front.app.get(Clock),
      logger: front.app.get(Logger),
      shutdown: front.app.get(ShutdownSequence),
      limits: { sweepMs: LEASE_MS, intentTtlMs: 0, deadlineMs: LEASE_MS, backoffBaseMs: 1 },
    }).sweep();
    expect((await client.get(`/api/v1/jobs/${seen.id}`)).body).toMatchObject({
      status: 'pending',
      error: null,
    });
    expect(await endings(seen.id)).toEqual([]);
  });

  it('is refused when its user has too many open, however many are asked for at once, and may be asked for again', async () => {
    const client = front.as(aUser());
    const image = await client.post('/api/v1/images', uploadForm(await aPicture().png().toBuffer()));
    const request = (key: number) =>
      client.post(
        `/api/v1/images/${String(image.body.id)}/enhancements`,
        { tier: 'free' },
        { 'idempotency-key': String(key) },
      );
    const answers = await Promise.all(
      Array.from({ length: OPEN_JOBS_PER_USER_MAX * 2 }, (_, i) => request(i)),
    );
    const open = (await client.get('/api/v1/jobs?limit=100&status=pending')).body.items;
    expect(open.length).toBeLessThanOrEqual(OPEN_JOBS_PER_USER_MAX);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(open.length);
    const refused = answers.findIndex(({ body }) => body.code === 'studio.job.too_many_open');
    expect(answers[refused]!.status).toBe(429);
    for (const { id } of open) await client.post(`/api/v1/jobs/${String(id)}/cancel`);
    const again = await request(refused);
    expect([again.status, again.body.status]).toEqual([202, 'pending']);
  });

  it('lists the own jobs by status, page by page', async () => {
    const client = front.as(aUser());
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.unshift((await requested(client, 'free', { width: 8, height: 8 })).jobId);
    await client.post(`/api/v1/jobs/${ids[0]}/cancel`);
    const first = await client.get('/api/v1/jobs?limit=1&status=pending');
    const second = await client.get(
      `/api/v1/jobs?limit=1&status=pending&cursor=${String(first.body.nextCursor)}`,
    );
    expect([...first.body.items, ...second.body.items].map(({ id }: { id: string }) => id)).toEqual(
      ids.slice(1),
    );
    expect((await client.get('/api/v1/jobs')).body.items).toHaveLength(3);
    expect((await client.get('/api/v1/jobs?status=done')).status).toBe(400);
  });

  const streamsWith = (limits: Partial<JobStreamLimits> = {}) =>
    new JobStreams(jobs, front.app.get(HealthRegistry), front.app.get(Logger), {
      ...{ streamsMax: 1, streamsPerUserMax: 1, pollMs: LEASE_MS },
      ...{ heartbeatMs: LEASE_MS, durationMaxMs: LEASE_MS },
      ...limits,
    });

  it('shows each of its stages to who watches it in the process that works on it, however short they are', async () => {
    const client = front.as(aUser());
    const { jobId } = await requested(client);
    const [job] = await jobs.many([jobId]);
    const stream = streamsWith().open(
      job!,
      job!.version,
      ({ status, currentStage }) => currentStage ?? status,
    );
    const { leaseId } = (await jobs.claim(LEASE_MS, new Date()))!;
    const stages = ['analyzing', 'cropping', 'prompting', 'generating'] as const;
    for (const currentStage of stages) await jobs.advance(jobId, leaseId!, { currentStage }, new Date());
    await client.post(`/api/v1/jobs/${jobId}/cancel`);
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    expect(text.match(/(?<=data: ")\w+/g)).toEqual(['processing', ...stages, 'generating']);
  });

  it('keeps its stream alive with comments, and no stream for ever', async () => {
    const { jobId } = await requested(front.as(aUser()));
    const [job] = await jobs.many([jobId]);
    const [quiet, old] = [{ heartbeatMs: 1 }, { durationMaxMs: 1 }].map((limits) =>
      streamsWith({ pollMs: 20, ...limits }).open(job!, job!.version, ({ status }) => status),
    );
    for await (const chunk of quiet!) if (String(chunk).includes(': still here')) break;
    let text = '';
    for await (const chunk of old!) text += String(chunk);
    expect(text).toBe('retry: 1000\n\n');
  });

  it('ends its stream with what it was when it is canceled', async () => {
    const client = front.as(aUser());
    const { jobId } = await requested(client);
    const stream = client.get(`/api/v1/jobs/${jobId}/events`);
    expect((await client.post(`/api/v1/jobs/${jobId}/cancel`)).status).toBe(200);
    expect((await stream).body).toMatch(/"status":"canceled".*\n\n$/);
  });
});

describe('jobs that nobody sees to', () => {
  it('are given up: the intent without an answer, and the job that waited too long, both with their credits', async () => {
    const ledger = await startLedgerFixture(1_000);
    const objects = await mkdtemp(join(tmpdir(), 'studio-'));
    let aheadMs = 0;
    const clock = { now: () => new Date(Date.now() + aheadMs) };
    const studio = await startService(
      StudioModule,
      studioConfig,
      {
        LEDGER_URL: ledger.url,
        LEDGER_TIMEOUT_MS: '30000',
        OBJECTS_DIR: objects,
        JOBS_AT_ONCE_MAX: '0',
        JOB_SWEEP_MS: '50',
      },
      { overrides: [{ provide: Clock, useValue: clock }] },
    );
    try {
      const client = studio.as(aUser());
      const image = await client.post('/api/v1/images', uploadForm(await aPicture().png().toBuffer()));
      const path = `/api/v1/images/${String(image.body.id)}/enhancements`;
      ledger.down = true;
      expect((await client.post(path, { tier: 'tier_1k' })).status).toBe(503);
      ledger.down = false;
      expect((await client.post(path, { tier: 'tier_2k' })).status).toBe(202);
      aheadMs = DAY_MS;
      const codes = await eventually(async () => {
        const { body } = await client.get('/api/v1/jobs?status=failed');
        if (body.items.length < 2) throw new Error('not swept yet');
        return body.items.map((job: { error: { code: string } }) => job.error.code) as string[];
      });
      expect(codes).toEqual(['studio.job.overdue', 'studio.job.hold_unanswered']);
      const facts = await studio.facts(JobFinished);
      expect(facts.map(({ data }) => [data.outcome, data.chargedCredits, data.holdId !== null])).toEqual([
        ['failed', 0, true],
        ['failed', 0, true],
      ]);
    } finally {
      await studio.close();
      await ledger.close();
      await rm(objects, { recursive: true, force: true });
    }
  });

  it('do not take streams without end: watchers are bounded, in all and of one user', async () => {
    const ledger = await startLedgerFixture(1_000);
    const objects = await mkdtemp(join(tmpdir(), 'studio-'));
    const studio = await startService(StudioModule, studioConfig, {
      LEDGER_URL: ledger.url,
      OBJECTS_DIR: objects,
      JOBS_AT_ONCE_MAX: '0',
      JOB_STREAMS_MAX: '2',
      JOB_STREAMS_PER_USER_MAX: '1',
    });
    const aWatcher = async () => {
      const client = studio.as(aUser());
      const image = await client.post('/api/v1/images', uploadForm(await aPicture().png().toBuffer()));
      const { body } = await client.post(`/api/v1/images/${String(image.body.id)}/enhancements`, {
        tier: 'free',
      });
      const path = `/api/v1/jobs/${String(body.id)}`;
      return { watch: () => client.get(`${path}/events`), cancel: () => client.post(`${path}/cancel`) };
    };
    try {
      const [eager, second, third] = [await aWatcher(), await aWatcher(), await aWatcher()];
      // The refusal comes at once, and says that the other stream is open: that one ends with its job.
      const own = [eager.watch(), eager.watch()];
      const tooMany = await Promise.race(own);
      expect([tooMany.status, tooMany.body.code]).toEqual([429, 'studio.job.too_many_streams']);
      const others = [second.watch(), third.watch()];
      const full = await Promise.race(others);
      expect([full.status, full.body.code]).toEqual([503, 'studio.job.streams_full']);
      expect(full.headers.get('retry-after')).toBe('5');
      for (const { cancel } of [eager, second, third]) expect((await cancel()).status).toBe(200);
      expect((await Promise.all(own)).map(({ status }) => status).sort()).toEqual([200, 429]);
      expect((await Promise.all(others)).map(({ status }) => status).sort()).toEqual([200, 503]);
      expect((await eager.watch()).status).toBe(200);
    } finally {
      await studio.close();
      await ledger.close();
      await rm(objects, { recursive: true, force: true });
    }
  });
});
