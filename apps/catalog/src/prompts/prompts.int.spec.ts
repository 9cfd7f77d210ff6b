import {
  PromptCreated,
  PromptDeleted,
  PromptPublished,
  PromptUpdated,
} from '@atelier/contracts/catalog/prompt.events';
import { ListingPublished, ListingWithdrawn } from '@atelier/contracts/commerce/listing.events';
import { exampleEnvelope, newId } from '@atelier/kernel';
import {
  aService,
  aUser,
  aVisitor,
  startService,
  type Answer,
  type Client,
  type ServiceUnderTest,
} from '@atelier/testing';
import { catalogConfig } from '../catalog.config.js';
import { CatalogModule } from '../catalog.module.js';
import { PromptRepository } from './prompt.repository.js';

const PROMPT = {
  title: 'Product photo',
  content: 'A photo of {subject}.',
  category: 'Image',
  tags: ['Photo'],
};

let catalog: ServiceUnderTest;
let writer: ReturnType<typeof aUser>;
let own: Client;
const other = () => catalog.as(aUser());

beforeAll(async () => {
  catalog = await startService(CatalogModule, catalogConfig);
});
afterAll(() => catalog?.close());
beforeEach(() => {
  writer = aUser();
  own = catalog.as(writer);
});

const pathOf = ({ body }: Answer): string => `/api/v1/prompts/${String(body.id)}`;
const rows = (name: string) => catalog.database.connection.collection(name);
const factsAbout = async (id: string) => (await catalog.facts()).filter(({ subject }) => subject === id);

describe('writing', () => {
  it('answers the prompt with its ETag and states PromptCreated', async () => {
    const created = await own.post('/api/v1/prompts', PROMPT);
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      userId: writer.id,
      title: 'Product photo',
      content: PROMPT.content,
      category: 'image',
      tags: ['photo'],
      status: 'draft',
      visibility: 'private',
      access: 'owner',
      contentVersion: 1,
      listing: null,
    });
    expect(created.headers.get('etag')).toBe('"v1"');
    expect(created.headers.get('location')).toBe(pathOf(created));
    const read = await own.get(pathOf(created));
    expect(read.body).toEqual(created.body);
    expect(read.headers.get('etag')).toBe('"v1"');
    const [fact, ...more] = await factsAbout(created.body.id);
    expect(more).toEqual([]);
    expect(fact).toMatchObject({ type: PromptCreated.type, version: 1, actor: `user:${writer.id}` });
    expect(JSON.stringify(fact)).not.toContain(PROMPT.content);
  });

  it('writes one prompt for fifty requests with one idempotency key (promise 6)', async () => {
    const headers = { 'idempotency-key': 'one-intent' };
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => own.post('/api/v1/prompts', PROMPT, headers)),
    );
    for (const { status } of answers) expect([201, 409]).toContain(status);
    const replayed = await own.post('/api/v1/prompts', PROMPT, headers);
    expect(replayed.headers.get('idempotency-replayed')).toBe('true');
    expect(await rows('prompts').countDocuments({ userId: writer.id })).toBe(1);
    expect(await rows('prompt_versions').countDocuments({ userId: writer.id })).toBe(1);
    expect(await factsAbout(replayed.body.id)).toHaveLength(1);
    const reused = await own.post('/api/v1/prompts', { ...PROMPT, title: 'Another' }, headers);
    expect(reused.status).toBe(422);
  });

  it('finds what a request wrote that died before its answer was kept (promise 9)', async () => {
    const headers = { 'idempotency-key': 'died-half-way' };
    const first = await own.post('/api/v1/prompts', PROMPT, headers);
    const lost = { $unset: { answer: '' }, $set: { leasedUntil: new Date(0) } } as const;
    const { modifiedCount } = await rows('_idempotency').updateOne(
      { 'answer.body': { $regex: first.body.id } },
      lost,
    );
    expect(modifiedCount).toBe(1);
    const repeated = await own.post('/api/v1/prompts', PROMPT, headers);
    expect(repeated).toMatchObject({ status: 201, body: { id: first.body.id } });
    expect(await rows('prompts').countDocuments({ userId: writer.id })).toBe(1);
    expect(await rows('prompt_versions').countDocuments({ userId: writer.id })).toBe(1);
    expect(await factsAbout(first.body.id)).toHaveLength(1);
  });

  it.each([
    ['an unknown field', { ...PROMPT, userId: 'usr_x' }, '/userId'],
    ['a missing title', { content: 'x' }, '/title'],
    ['a content that is no text', { ...PROMPT, content: 7 }, '/content'],
    ['an endless title', { ...PROMPT, title: 'x'.repeat(201) }, '/title'],
    ['an endless content', { ...PROMPT, content: 'x'.repeat(100_001) }, '/content'],
    ['the visibility of the marketplace', { ...PROMPT, visibility: 'marketplace' }, '/visibility'],
  ])('refuses %s by name and writes nothing', async (_, body, pointer) => {
    const refused = await own.post('/api/v1/prompts', body);
    expect(refused.status).toBe(400);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(refused.body.errors).toEqual([expect.objectContaining({ pointer })]);
    expect(await rows('prompts').countDocuments({ userId: writer.id })).toBe(0);
  });

  it('keeps the longest content, with every sign in it', async () => {
    const content = `{{a}} "quoted" \\ \u2028 $where 🎨\n${'€'.repeat(99_900)}`;
    const created = await own.post('/api/v1/prompts', { ...PROMPT, content });
    expect(created.status).toBe(201);
    expect((await own.get(pathOf(created))).body.content).toBe(content);
  });

  it('is for users: services and visitors own no prompts', async () => {
    expect((await catalog.as(aVisitor).post('/api/v1/prompts', PROMPT)).status).toBe(401);
    expect(await catalog.as(aService('studio')).post('/api/v1/prompts', PROMPT)).toMatchObject({
      status: 403,
      body: { code: 'catalog.prompt.not_a_user' },
    });
  });
});

describe('changing', () => {
  it('takes the version that was seen: 428 without, 412 with an old one, and changes nothing then', async () => {
    const created = await own.post('/api/v1/prompts', PROMPT);
    const path = pathOf(created);
    expect((await own.patch(path, { title: 'New' })).status).toBe(428);
    const changed = await own.patch(path, { title: 'New' }, { 'if-match': '"v1"' });
    expect(changed).toMatchObject({ status: 200, body: { title: 'New', contentVersion: 1 } });
    expect(changed.headers.get('etag')).toBe('"v2"');
    expect((await own.patch(path, { title: 'Newer' }, { 'if-match': '"v1"' })).status).toBe(412);
    expect((await own.patch(path, { title: 'Newer' }, { 'if-match': 'v2' })).status).toBe(400);
    expect((await own.get(path)).body.title).toBe('New');
    expect((await factsAbout(created.body.id)).map(({ type, version }) => [type, version])).toEqual([
      [PromptCreated.type, 1],
      [PromptUpdated.type, 2],
    ]);
  });

  it('lets one of twenty win that change the same version at the same time', async () => {
    const path = pathOf(await own.post('/api/v1/prompts', PROMPT));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => own.patch(path, { content: `Take ${n}` }, { 'if-match': '"v1"' })),
    );
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    for (const { status } of answers) expect([200, 412]).toContain(status);
    const read = await own.get(path);
    expect(read.body).toMatchObject({ content: winners[0]!.body.content, contentVersion: 2 });
    const { items } = (await own.get(`${path}/versions`)).body;
    expect(items.map(({ content }: { content: string }) => content)).toEqual([
      read.body.content,
      PROMPT.content,
    ]);
  });

  it('keeps every version of the content in its history, newest first and in pages (R91)', async () => {
    const path = pathOf(await own.post('/api/v1/prompts', PROMPT));
    for (let version = 1; version <= 4; version++) {
      const body = { content: `Content ${version + 1}`, ...(version === 4 ? { changes: 'Shorter.' } : {}) };
      expect((await own.patch(path, body, { 'if-match': `"v${version}"` })).status).toBe(200);
    }
    const first = await own.get(`${path}/versions?limit=3`);
    expect(first.body.items.map((row: { versionNumber: number }) => row.versionNumber)).toEqual([5, 4, 3]);
    expect(first.body.items[0]).toMatchObject({
      content: 'Content 5',
      changes: 'Shorter.',
      createdBy: writer.id,
    });
    const second = await own.get(`${path}/versions?limit=3&cursor=${String(first.body.nextCursor)}`);
    expect(second.body.items.map((row: { changes: string }) => row.changes)).toEqual([
      'Changed content.',
      'Created.',
    ]);
    expect(second.body.nextCursor).toBeNull();
    expect((await own.get(`${path}/versions?limit=21`)).status).toBe(400);
    expect((await other().get(`${path}/versions`)).status).toBe(404);
  });

  it('saves content, history and fact together or not at all', async () => {
    const created = await own.post('/api/v1/prompts', PROMPT);
    const blocking = { promptId: created.body.id, userId: writer.id, versionNumber: 2 };
    await rows('prompt_versions').insertOne(blocking);
    const failed = await own.patch(pathOf(created), { content: 'Lost' }, { 'if-match': '"v1"' });
    expect(failed.status).toBe(500);
    expect(JSON.stringify(failed.body)).not.toContain('duplicate');
    expect((await own.get(pathOf(created))).body).toEqual(created.body);
    expect(await factsAbout(created.body.id)).toHaveLength(1);
  });

  it('writes nothing when nothing changes', async () => {
    const created = await own.post('/api/v1/prompts', PROMPT);
    const same = await own.patch(pathOf(created), { title: PROMPT.title }, { 'if-match': '"v1"' });
    expect(same).toMatchObject({ status: 200, body: created.body });
    expect(same.headers.get('etag')).toBe('"v1"');
    expect(await factsAbout(created.body.id)).toHaveLength(1);
  });
});

describe('listing', () => {
  it("shows one's own prompts only, newest first, page by page and without their content", async () => {
    for (let n = 0; n < 5; n++) await own.post('/api/v1/prompts', { ...PROMPT, title: `Prompt ${n}` });
    await other().post('/api/v1/prompts', PROMPT);
    const titles: string[] = [];
    let cursor: string | null = null;
    do {
      const from: string = cursor ? `&cursor=${cursor}` : '';
      const page: Answer = await own.get(`/api/v1/prompts?limit=2${from}`);
      expect(page.status).toBe(200);
      expect(page.headers.has('link')).toBe(page.body.nextCursor !== null);
      for (const item of page.body.items) {
        expect(item).not.toHaveProperty('content');
        titles.push(item.title);
      }
      cursor = page.body.nextCursor;
    } while (cursor);
    expect(titles).toEqual(['Prompt 4', 'Prompt 3', 'Prompt 2', 'Prompt 1', 'Prompt 0']);
  });

  it('does not read the contents, which may be a hundred thousand characters each', async () => {
    const created = await own.post('/api/v1/prompts', PROMPT);
    const { items } = await catalog.app.get(PromptRepository, { strict: false }).list(writer.id, {}, 5);
    expect(items.map(({ id }) => id)).toEqual([created.body.id]);
    expect(items[0]).not.toHaveProperty('content');
  });

  it('filters by status, category and a part of the text', async () => {
    await own.post('/api/v1/prompts', { ...PROMPT, title: 'Cats (50% off)', category: 'animals' });
    await own.post('/api/v1/prompts', { ...PROMPT, title: 'Dogs', tags: ['catlike'], visibility: 'public' });
    await own.post('/api/v1/prompts', { ...PROMPT, title: 'Birds', description: 'No cat.' });
    const found = async (query: string) =>
      (await own.get(`/api/v1/prompts?${query}`)).body.items.map(({ title }: { title: string }) => title);
    expect(await found('q=CAT')).toEqual(['Birds', 'Dogs', 'Cats (50% off)']);
    expect(await found('q=(50%25')).toEqual(['Cats (50% off)']);
    expect(await found('q=.*')).toEqual([]);
    expect(await found('status=active')).toEqual(['Dogs']);
    expect(await found('category=Animals&status=draft&q=cats')).toEqual(['Cats (50% off)']);
  });

  it('refuses a bad cursor, a bad limit and an unknown filter', async () => {
    for (const query of [
      'cursor=nonsense',
      'limit=0',
      'limit=101',
      'limit=1.5',
      'owner=me',
      'q=%00',
      'q=a%00b',
      'status=deleted',
    ]) {
      expect((await own.get(`/api/v1/prompts?${query}`)).status).toBe(400);
    }
  });
});

describe('reading and changing what is not yours', () => {
  it('shows the public fields of a public prompt to everybody, without content, role and ETag', async () => {
    const created = await own.post('/api/v1/prompts', {
      ...PROMPT,
      role: 'A photographer',
      visibility: 'public',
    });
    for (const reader of [other(), catalog.as(aVisitor)]) {
      const read = await reader.get(pathOf(created));
      expect(read).toMatchObject({ status: 200, body: { title: PROMPT.title, access: 'public' } });
      expect(read.body).not.toHaveProperty('content');
      expect(read.body).not.toHaveProperty('role');
      expect(read.headers.get('etag')).toBeNull();
    }
    expect((await factsAbout(created.body.id)).map(({ type }) => type)).toEqual([
      PromptCreated.type,
      PromptPublished.type,
    ]);
  });

  it('answers 404 for a private prompt to everybody else, by every method (promise 27)', async () => {
    const created = await own.post('/api/v1/prompts', PROMPT);
    const stranger = catalog.as(aUser('super_admin'));
    const path = pathOf(created);
    const answers = [
      await stranger.get(path),
      await catalog.as(aVisitor).get(path),
      await stranger.patch(path, { title: 'Mine' }, { 'if-match': '"v1"' }),
      await stranger.delete(path),
      await stranger.get(`/api/v1/prompts/${newId('prm')}`),
    ];
    for (const { status, body } of answers)
      expect([status, body.code]).toEqual([404, 'catalog.prompt.not_found']);
    expect((await own.get(path)).body).toEqual(created.body);
  });

  it('answers 400 for an id that is none', async () => {
    expect((await own.get('/api/v1/prompts/prm_1')).status).toBe(400);
  });
});

describe('deleting', () => {
  it('is soft, once, and states PromptDeleted; the owner sees the prompt no more (R90)', async () => {
    const created = await own.post('/api/v1/prompts', PROMPT);
    const path = pathOf(created);
    expect((await own.delete(path, { 'if-match': '"v7"' })).status).toBe(412);
    expect((await own.delete(path, { 'if-match': '"v1"' })).status).toBe(204);
    expect((await own.delete(path)).status).toBe(204);
    expect((await own.get(path)).status).toBe(404);
    expect((await own.get('/api/v1/prompts')).body.items).toEqual([]);
    expect((await own.patch(path, { title: 'Back' }, { 'if-match': '"v2"' })).status).toBe(404);
    expect(await rows('prompts').findOne({ userId: writer.id })).toMatchObject({
      deletedBy: writer.id,
      content: PROMPT.content,
    });
    expect((await factsAbout(created.body.id)).map(({ type }) => type)).toEqual([
      PromptCreated.type,
      PromptDeleted.type,
    ]);
  });
});

describe('ListingPublished', () => {
  const approved = (promptId: string, sellerId: string, time = new Date().toISOString()) =>
    exampleEnvelope(
      ListingPublished,
      {
        ...ListingPublished.example,
        promptId: promptId as never,
        sellerId: sellerId as never,
        listingId: newId('lst'),
        priceCredits: 120,
      },
      { time },
    );

  it('puts the prompt on the marketplace once, however often it comes (R85)', async () => {
    const created = await own.post('/api/v1/prompts', PROMPT);
    const event = approved(created.body.id, writer.id);
    await catalog.redeliver(event);
    const read = await other().get(pathOf(created));
    expect(read).toMatchObject({
      status: 200,
      body: {
        access: 'public',
        status: 'active',
        visibility: 'marketplace',
        listing: { id: event.data.listingId, priceCredits: 120 },
      },
    });
    expect(read.body).not.toHaveProperty('content');
    const published = (await catalog.facts(PromptPublished)).filter(
      ({ subject }) => subject === created.body.id,
    );
    expect(published).toHaveLength(1);
    expect(published[0]).toMatchObject({ causationId: event.id, correlationId: event.correlationId });
    const refused = await own.patch(pathOf(created), { visibility: 'private' }, { 'if-match': '"v2"' });
    expect(refused).toMatchObject({ status: 409, body: { code: 'catalog.prompt.listed' } });
  });

  it('is taken back when the listing is withdrawn, once; another listing changes nothing', async () => {
    const created = await own.post('/api/v1/prompts', PROMPT);
    const event = approved(created.body.id, writer.id);
    await catalog.publish(event);
    const withdrawn = (listingId: typeof event.data.listingId) =>
      exampleEnvelope(ListingWithdrawn, {
        ...ListingWithdrawn.example,
        promptId: event.data.promptId,
        sellerId: event.data.sellerId,
        listingId,
      });
    await catalog.publish(withdrawn(newId('lst')));
    expect((await other().get(pathOf(created))).status).toBe(200);
    await catalog.redeliver(withdrawn(event.data.listingId));
    expect((await other().get(pathOf(created))).status).toBe(404);
    expect((await own.get(pathOf(created))).body).toMatchObject({ visibility: 'private' });
    expect((await factsAbout(created.body.id)).map(({ type }) => type)).toEqual([
      PromptCreated.type,
      PromptPublished.type,
      PromptUpdated.type,
    ]);
  });

  it('keeps the newer of two approvals that come in the wrong order', async () => {
    const created = await own.post('/api/v1/prompts', PROMPT);
    const newer = approved(created.body.id, writer.id, '2026-11-21T09:00:00.000Z');
    await catalog.publish(newer, approved(created.body.id, writer.id, '2026-11-21T08:00:00.000Z'));
    expect((await own.get(pathOf(created))).body.listing.id).toBe(newer.data.listingId);
  });

  it('changes nothing for a prompt that is deleted, unknown or somebody else’s, and fails for none', async () => {
    const created = await own.post('/api/v1/prompts', PROMPT);
    await own.delete(pathOf(created));
    const kept = await own.post('/api/v1/prompts', PROMPT);
    await catalog.publish(
      approved(created.body.id, writer.id),
      approved(newId('prm'), writer.id),
      approved(kept.body.id, newId('usr')),
    );
    expect((await own.get(pathOf(kept))).body).toEqual(kept.body);
    expect(await factsAbout(created.body.id)).toHaveLength(2);
    expect(await catalog.deadLetters()).toEqual([]);
  });
});
