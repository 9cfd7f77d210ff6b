import { jest } from '@jest/globals';
import {
  ListingPublished,
  ListingRejected,
  ListingSubmitted,
  ListingWithdrawn,
} from '@atelier/contracts/commerce/listing.events';
import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { PromptCreated, PromptDeleted, PromptUpdated } from '@atelier/contracts/catalog/prompt.events';
import { exampleEnvelope, newId, type Id } from '@atelier/kernel';
import { aUser, aVisitor, eventually, startService, type ServiceUnderTest } from '@atelier/testing';
import { commerceConfig } from '../commerce.config.js';
import { CommerceModule } from '../commerce.module.js';
import { Prompts } from '../prompts/prompts.projection.js';

const LISTINGS = '/api/v1/marketplace/listings';
const seller = aUser();
const stranger = aUser();
const LATE_MS_MAX = 30_000;
const moderator = aUser('moderator');
let service: ServiceUnderTest;

beforeAll(async () => {
  service = await startService(CommerceModule, commerceConfig, {
    PUBLIC_URL: 'http://127.0.0.1:1',
    LEDGER_URL: 'http://127.0.0.1:1',
    SANDBOX_WEBHOOK_SECRET: 'a-secret-of-the-tests-for-webhooks',
  });
});
afterAll(() => service?.close());

const created = (promptId: Id<'prm'>, ownerId: Id<'usr'> = seller.id) =>
  exampleEnvelope(
    PromptCreated,
    { ...PromptCreated.example, promptId, ownerId },
    { subject: promptId, version: 1 },
  );

async function aPrompt(ownerId: Id<'usr'> = seller.id): Promise<Id<'prm'>> {
  const promptId = newId('prm');
  await service.publish(created(promptId, ownerId));
  return promptId;
}

/** Who looks for a prompt that is not known yet waits by another clock: longer than a busy machine is late, or not. */
function waiting(byMs: number) {
  const find = Reflect.get<Prompts, 'find'>(Prompts.prototype, 'find');
  return jest.spyOn(Prompts.prototype, 'find').mockImplementation(function (this: Prompts, id) {
    const clock = jest.spyOn(Date, 'now').mockReturnValueOnce(Date.now() + byMs);
    const found = find.call(this, id);
    clock.mockRestore();
    return found;
  });
}

const offer = (promptId: string, overrides: object = {}) => ({
  ...{ promptId, title: 'Product photo in a studio', description: 'Soft light.', priceCredits: 100 },
  ...overrides,
});

async function aDraft(overrides: object = {}) {
  const answer = await service.as(seller).post(LISTINGS, offer(await aPrompt(), overrides));
  expect(answer.status).toBe(201);
  return answer.body as { id: string; promptId: Id<'prm'> };
}

async function anApproved(overrides: object = {}) {
  const draft = await aDraft(overrides);
  expect((await service.as(seller).post(`${LISTINGS}/${draft.id}/submit`)).status).toBe(200);
  expect((await service.as(moderator).post(`${LISTINGS}/${draft.id}/approve`)).status).toBe(200);
  return draft;
}

describe('listing a prompt', () => {
  it('leads from a draft that only its seller sees to the marketplace that everybody sees (R103)', async () => {
    const { id } = await aDraft();
    expect((await service.as(aVisitor).get(`${LISTINGS}/${id}`)).status).toBe(404);
    expect((await service.as(seller).get(`${LISTINGS}/${id}`)).body).toMatchObject({
      status: 'draft',
      category: 'image',
    });
    await service.as(seller).post(`${LISTINGS}/${id}/submit`);
    const approved = await service.as(moderator).post(`${LISTINGS}/${id}/approve`);
    expect(approved.body).toMatchObject({ status: 'approved', moderationStatus: 'approved' });
    expect((await service.as(aVisitor).get(`${LISTINGS}/${id}`)).body).toMatchObject({
      id,
      priceCredits: 100,
    });
    const subjects = async (facts: Promise<{ subject: string }[]>) =>
      (await facts).map(({ subject }) => subject);
    expect(await subjects(service.facts(ListingSubmitted))).toContain(id);
    expect(await subjects(service.facts(ListingPublished))).toContain(id);
  });

  it('is for the owner of the prompt: others and unknown prompts are not found', async () => {
    const foreign = await service.as(stranger).post(LISTINGS, offer(await aPrompt()));
    expect(foreign).toMatchObject({ status: 404, body: { code: 'commerce.prompt.not_found' } });
    const looks = waiting(-LATE_MS_MAX);
    expect((await service.as(seller).post(LISTINGS, offer(newId('prm')))).status).toBe(404);
    looks.mockRestore();
    expect((await service.as(aVisitor).post(LISTINGS, offer(newId('prm')))).status).toBe(401);
  });

  it('waits for a prompt whose fact is still on its way', async () => {
    const promptId = newId('prm');
    const looks = waiting(LATE_MS_MAX);
    const answer = service.as(seller).post(LISTINGS, offer(promptId));
    await eventually(() => expect(looks).toHaveBeenCalled());
    looks.mockRestore();
    await service.publish(created(promptId));
    expect((await answer).status).toBe(201);
  });

  it('succeeds by a repeat with the same key, when the prompt became known after the first was refused', async () => {
    const promptId = newId('prm');
    const key = { 'idempotency-key': newId('key') };
    const looks = waiting(-LATE_MS_MAX);
    const early = await service.as(seller).post(LISTINGS, offer(promptId), key);
    looks.mockRestore();
    expect([early.status, early.headers.get('retry-after')]).toEqual([404, '1']);
    await service.publish(created(promptId));
    expect((await service.as(seller).post(LISTINGS, offer(promptId), key)).status).toBe(201);
  });

  it('happens once per idempotency key, and once per prompt while the listing lives', async () => {
    const promptId = await aPrompt();
    const key = { 'idempotency-key': newId('key') };
    const first = await service.as(seller).post(LISTINGS, offer(promptId), key);
    const firstId = first.body.id as string;
    const repeat = await service.as(seller).post(LISTINGS, offer(promptId), key);
    expect(repeat).toMatchObject({ status: 201, body: { id: first.body.id } });
    expect(repeat.headers.get('idempotency-replayed')).toBe('true');
    expect(await service.as(seller).post(LISTINGS, offer(promptId))).toMatchObject({
      status: 409,
      body: { code: 'commerce.listing.exists' },
    });
    expect((await service.as(seller).delete(`${LISTINGS}/${firstId}`)).status).toBe(204);
    expect((await service.as(seller).post(LISTINGS, offer(promptId))).status).toBe(201);
  });

  it('refuses bad fields one by one and stores nothing', async () => {
    const promptId = await aPrompt();
    const bad: [object, string][] = [
      [{ priceCredits: -1 }, '/priceCredits'],
      [{ priceCredits: 0 }, '/priceCredits'],
      [{ priceCredits: 1.5 }, '/priceCredits'],
      [{ priceCredits: 1e12 }, '/priceCredits'],
      [{ priceCredits: '100' }, '/priceCredits'],
      [{ title: ' ' }, '/title'],
      [{ status: 'approved' }, '/status'],
      [{ promptId: newId('usr') }, '/promptId'],
    ];
    for (const [change, pointer] of bad) {
      const answer = await service.as(seller).post(LISTINGS, offer(promptId, change));
      expect(answer).toMatchObject({ status: 400, body: { code: 'platform.request.invalid' } });
      expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    }
    const own = await service.as(seller).get(`${LISTINGS}?seller=me&limit=100`);
    expect(own.body.items.map((item: { promptId: string }) => item.promptId)).not.toContain(promptId);
  });
});

describe('moderation', () => {
  it('is for moderators, and never for the seller of the listing (R104)', async () => {
    const { id } = await aDraft();
    await service.as(seller).post(`${LISTINGS}/${id}/submit`);
    expect((await service.as(stranger).post(`${LISTINGS}/${id}/approve`)).status).toBe(403);
    expect((await service.as(seller).post(`${LISTINGS}/${id}/approve`)).status).toBe(403);
    const asBoth = { ...seller, role: 'moderator' as const };
    expect(await service.as(asBoth).post(`${LISTINGS}/${id}/approve`)).toMatchObject({
      status: 403,
      body: { code: 'commerce.listing.own' },
    });
    expect((await service.as(stranger).post(`${LISTINGS}/${id}/submit`)).status).toBe(404);
  });

  it('lists what waits for it, which others may not', async () => {
    const { id } = await aDraft();
    await service.as(seller).post(`${LISTINGS}/${id}/submit`);
    const queue = await service.as(moderator).get(`${LISTINGS}?status=pending&limit=100`);
    expect(queue.body.items.map((item: { id: string }) => item.id)).toContain(id);
    expect((await service.as(stranger).get(`${LISTINGS}?status=pending`)).status).toBe(403);
    expect((await service.as(aVisitor).get(`${LISTINGS}?status=draft`)).status).toBe(403);
  });

  it('gives the seller a reason, and a way back by editing', async () => {
    const { id } = await aDraft();
    await service.as(seller).post(`${LISTINGS}/${id}/submit`);
    expect((await service.as(moderator).post(`${LISTINGS}/${id}/reject`, {})).status).toBe(400);
    const rejected = await service
      .as(moderator)
      .post(`${LISTINGS}/${id}/reject`, { reason: 'Another prompt.' });
    expect(rejected.body).toMatchObject({ status: 'rejected', moderationNotes: 'Another prompt.' });
    const seen = await service.as(seller).get(`${LISTINGS}/${id}`);
    const ifMatch = { 'if-match': seen.headers.get('etag')! };
    expect((await service.as(seller).patch(`${LISTINGS}/${id}`, { title: 'Better' })).status).toBe(428);
    expect((await service.as(stranger).patch(`${LISTINGS}/${id}`, { title: 'Mine' }, ifMatch)).status).toBe(
      404,
    );
    const edited = await service.as(seller).patch(`${LISTINGS}/${id}`, { title: 'Better' }, ifMatch);
    expect(edited).toMatchObject({ status: 200, body: { status: 'draft', title: 'Better' } });
    expect((await service.as(seller).patch(`${LISTINGS}/${id}`, { title: 'Late' }, ifMatch)).status).toBe(
      412,
    );
  });
});

describe('a request whose process died before its answer was kept', () => {
  it.each([
    ['submit', seller, undefined, ListingSubmitted],
    ['approve', moderator, undefined, ListingPublished],
    ['reject', moderator, { reason: 'Another prompt.' }, ListingRejected],
    ['suspend', moderator, { reason: 'Reported.' }, ListingWithdrawn],
  ] as const)('to %s finds what it did, and says it once (promise 9)', async (verb, actor, body, fact) => {
    const { id } = verb === 'suspend' ? await anApproved() : await aDraft();
    if (verb === 'approve' || verb === 'reject') await service.as(seller).post(`${LISTINGS}/${id}/submit`);
    const headers = { 'idempotency-key': newId('key') };
    const send = (by = actor) => service.as(by).post(`${LISTINGS}/${id}/${verb}`, body, headers);
    const first = await send();
    expect(first.status).toBe(200);
    const lost = { $unset: { answer: '' }, $set: { leasedUntil: new Date(0) } } as const;
    await service.database.connection.collection('_idempotency').updateMany({}, lost);
    expect(await send()).toMatchObject({ status: 200, body: first.body });
    if (actor === moderator) expect((await send(aUser('moderator'))).status).toBe(409);
    const told = (await service.facts()).filter(({ subject, type }) => subject === id && type === fact.type);
    expect(told).toHaveLength(1);
  });
});

describe('the listing of a deleted prompt that was drafted before commerce knew', () => {
  const promptIsGone = (_id: string, deletedAt = new Date()) =>
    service.database.connection
      .collection<{ _id: string }>('view_prompts')
      .updateOne({ _id }, { $set: { deletedAt } });

  it('is neither submitted nor approved, nor put back after a suspension', async () => {
    const refused = { status: 409, body: { code: 'commerce.listing.prompt_deleted' } };
    const [draft, pending, suspended] = [await aDraft(), await aDraft(), await anApproved()];
    await service.as(seller).post(`${LISTINGS}/${pending.id}/submit`);
    await service.as(moderator).post(`${LISTINGS}/${suspended.id}/suspend`, { reason: 'Reported.' });
    for (const { promptId } of [draft, pending, suspended]) await promptIsGone(promptId);
    expect(await service.as(seller).post(`${LISTINGS}/${draft.id}/submit`)).toMatchObject(refused);
    for (const { id } of [pending, suspended])
      expect(await service.as(moderator).post(`${LISTINGS}/${id}/approve`)).toMatchObject(refused);
    const rejection = { reason: 'Its prompt is gone.' };
    expect((await service.as(moderator).post(`${LISTINGS}/${pending.id}/reject`, rejection)).status).toBe(
      200,
    );
  });
});

describe('the marketplace', () => {
  it('is searched by words, category and price, page by page', async () => {
    const category = `c${newId('t').slice(-10)}`;
    for (const priceCredits of [30, 10, 20])
      await anApproved({ category, priceCredits, title: `Zebra ${priceCredits}` });
    const page = async (query: string) => (await service.as(aVisitor).get(`${LISTINGS}?${query}`)).body;
    type Listed = { items: { priceCredits: number }[] };
    const prices = (body: Listed) => body.items.map((item) => item.priceCredits);
    expect(prices(await page(`category=${category}&sort=price_asc`))).toEqual([10, 20, 30]);
    expect(prices(await page(`category=${category}&sort=price_desc`))).toEqual([30, 20, 10]);
    expect(prices(await page(`category=${category}`))).toEqual([20, 10, 30]);
    const first = (await page(`category=${category}&sort=price_asc&limit=2`)) as Listed & {
      nextCursor: string;
    };
    expect(prices(first)).toEqual([10, 20]);
    expect(
      prices(await page(`category=${category}&sort=price_asc&limit=2&cursor=${first.nextCursor}`)),
    ).toEqual([30]);
    expect(prices(await page(`category=${category}&q=zeb%2020`))).toEqual([20]);
    expect(prices(await page(`category=${category}&q=.*`))).toEqual([]);
    expect((await service.as(aVisitor).get(`${LISTINGS}?sort=random`)).status).toBe(400);
    expect((await service.as(aVisitor).get(`${LISTINGS}?cursor=nonsense`)).status).toBe(400);
  });

  it('hides what is paused or suspended until it is back (R30)', async () => {
    const category = `c${newId('t').slice(-10)}`;
    const { id } = await anApproved({ category });
    const count = async () =>
      (await service.as(aVisitor).get(`${LISTINGS}?category=${category}`)).body.items.length;
    await service.as(seller).post(`${LISTINGS}/${id}/pause`);
    expect(await count()).toBe(0);
    await service.as(seller).post(`${LISTINGS}/${id}/resume`);
    expect(await count()).toBe(1);
    await service.as(moderator).post(`${LISTINGS}/${id}/suspend`, { reason: 'Reported.' });
    expect((await service.as(aVisitor).get(`${LISTINGS}/${id}`)).status).toBe(404);
    await service.as(moderator).post(`${LISTINGS}/${id}/approve`);
    expect(await count()).toBe(1);
  });

  it('counts each completed and refunded purchase once and sorts by it (R31, R105)', async () => {
    const category = `c${newId('t').slice(-10)}`;
    const sold = await anApproved({ category });
    const unsold = await anApproved({ category });
    const purchase = {
      ...PurchaseCompleted.example,
      listingId: sold.id as Id<'lst'>,
      purchaseId: newId('pur'),
    };
    await service.redeliver(exampleEnvelope(PurchaseCompleted, purchase, { subject: purchase.purchaseId }));
    await service.redeliver(
      exampleEnvelope(
        PurchaseRefunded,
        { ...PurchaseRefunded.example, ...purchase, refundedAt: '2026-11-21T09:00:00.000Z' },
        { subject: purchase.purchaseId, version: 2 },
      ),
    );
    const { body } = await service.as(aVisitor).get(`${LISTINGS}?category=${category}&sort=popular`);
    expect(body.items).toMatchObject([
      { id: sold.id, purchaseCount: 1, refundCount: 1 },
      { id: unsold.id, purchaseCount: 0 },
    ]);
  });
});

describe("catalog's facts", () => {
  it('make a prompt known once, and an old fact never replaces a newer one', async () => {
    const promptId = newId('prm');
    const data = { ...PromptUpdated.example, promptId, ownerId: seller.id, category: 'video' };
    await service.publish(exampleEnvelope(PromptUpdated, data, { subject: promptId, version: 2 }));
    await service.redeliver(created(promptId));
    expect((await service.as(seller).post(LISTINGS, offer(promptId))).body).toMatchObject({
      category: 'video',
    });
  });

  it('withdraw the listing of a deleted prompt, once', async () => {
    const { id, promptId } = await anApproved();
    await service.redeliver(
      exampleEnvelope(
        PromptDeleted,
        { promptId, ownerId: seller.id, deletedAt: '2026-11-21T08:00:00.000Z' },
        { subject: promptId, version: 2 },
      ),
    );
    expect((await service.as(aVisitor).get(`${LISTINGS}/${id}`)).status).toBe(404);
    const withdrawn = (await service.facts(ListingWithdrawn)).filter(({ subject }) => subject === id);
    expect(withdrawn).toHaveLength(1);
    expect(withdrawn[0]!.data).toMatchObject({ how: 'deleted', reason: 'the prompt was deleted' });
    expect(await service.as(seller).post(LISTINGS, offer(promptId))).toMatchObject({ status: 404 });
    expect(await service.deadLetters()).toEqual([]);
  });
});
