import { jest } from '@jest/globals';
import type { Actor } from '@atelier/kernel';
import { OpenApiDocument } from '@atelier/service';
import { aUser, eventually, recordQueries, startService, type ServiceUnderTest } from '@atelier/testing';
import { EnhancementRepository } from './enhancements/enhancement.repository.js';
import { startLedgerFixture, type LedgerFixture } from './enhancements/ledger.fixture.js';
import { aPicture, uploadForm } from './images/pictures.fixture.js';
import { ModelProvider } from './models/model-provider.js';
import { studioConfig } from './studio.config.js';
import { StudioModule } from './studio.module.js';

/** Everything that studio asks its database: a new route fails here first. */
describe('what studio asks its database', () => {
  let ledger: LedgerFixture;
  let studio: ServiceUnderTest;
  beforeAll(async () => {
    ledger = await startLedgerFixture(1_000);
    studio = await startService(StudioModule, studioConfig, {
      LEDGER_URL: ledger.url,
      LEDGER_TIMEOUT_MS: '30000',
      OBJECT_STORE: 'gridfs',
      JOB_POLL_MS: '50',
      JOB_SWEEP_MS: '50',
      JOB_STREAM_POLL_MS: '20',
    });
  });
  afterAll(async () => {
    await studio?.close();
    await ledger?.close();
  });

  const called = new Set<string>();
  const user = aUser();
  async function call(method: 'get' | 'post' | 'delete', path: string, body?: unknown, actor: Actor = user) {
    const client = studio.as(actor);
    const url = path.replace(/[<>]/g, '');
    const answer = await (method === 'post' ? client.post(url, body) : client[method](url));
    expect([url, answer.status < 400 ? 'reached' : answer.body]).toEqual([url, 'reached']);
    const [bare = ''] = path.split('?');
    called.add(`${method} ${bare.replace(/<[^>]+>/g, '{id}')}`);
    return answer.body;
  }
  async function routes(): Promise<string[]> {
    const { paths } = await studio.app.get(OpenApiDocument, { strict: false }).get();
    return Object.entries(paths)
      .filter(([path]) => path.startsWith('/api/'))
      .flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`));
  }

  it('is asked by every route, the workers and the sweeper, and always finds an index (issue 5)', async () => {
    const picture = await aPicture().png().toBuffer();
    // The driver's first write looks whether GridFS is there at all: at any one file.
    await call('post', '/api/v1/images', uploadForm(picture));
    const queries = recordQueries(studio.database);
    const image = await call('post', '/api/v1/images', uploadForm(picture));
    const page = await call('get', '/api/v1/images?limit=1');
    await call('get', `/api/v1/images?limit=1&cursor=${String(page.nextCursor)}`);
    await call('get', `/api/v1/images/<${image.id}>`);
    const job = await call('post', `/api/v1/images/<${image.id}>/enhancements`, { tier: 'tier_1k' });
    await call('get', `/api/v1/jobs/<${job.id}>/events`);
    await eventually(async () =>
      expect(await call('get', `/api/v1/jobs/<${job.id}>`)).toMatchObject({ status: 'completed' }),
    );
    for (const variant of ['original', 'enhanced', String(job.id)])
      await call('get', `/api/v1/images/<${image.id}>/file?variant=${variant}`);

    // It is not done before it is canceled.
    const model = studio.app.get(ModelProvider);
    jest.spyOn(model, 'generate').mockReturnValue(new Promise(() => undefined));
    const { id } = await call('post', '/api/v1/images', uploadForm(picture));
    const unwanted = await call('post', `/api/v1/images/<${id}>/enhancements`, { tier: 'tier_4k' });
    await call('post', `/api/v1/jobs/<${unwanted.id}>/cancel`);
    for (const query of ['limit=1', 'limit=1&status=completed']) {
      const { nextCursor } = await call('get', `/api/v1/jobs?${query}`);
      if (nextCursor) await call('get', `/api/v1/jobs?${query}&cursor=${String(nextCursor)}`);
    }
    await call('delete', `/api/v1/images/<${image.id}>`);
    // A heartbeat comes after a third of a lease; nobody waits for it here.
    await studio.app.get(EnhancementRepository).renew(String(job.id), 'lea_1', 1, new Date());

    expect([...called].sort()).toEqual((await routes()).sort());
    expect(queries.count).toBeGreaterThan(called.size);
    await queries.expectEveryQueryToUseAnIndex();
  });
});
