import { PromptCreated } from '@atelier/contracts/catalog/prompt.events';
import {
  PurchaseCompleted,
  PurchaseFailed,
  PurchaseRefunded,
} from '@atelier/contracts/commerce/purchase.events';
import { exampleEnvelope, newId } from '@atelier/kernel';
import { aContext, aUser, eventually, startService, type ServiceUnderTest } from '@atelier/testing';
import { commerceConfig } from '../commerce.config.js';
import { CommerceModule } from '../commerce.module.js';
import { ReadListing } from '../listings/read-listing.usecase.js';
import { Ledger } from './ledger.fixture.js';
import { startPurchase } from './purchase.domain.js';
import { PurchaseRepository } from './purchase.repository.js';

const LISTINGS = '/api/v1/marketplace/listings';
const PURCHASES = '/api/v1/marketplace/purchases';

const seller = aUser();
const moderator = aUser('moderator');
const ledger = new Ledger();
let service: ServiceUnderTest;

beforeAll(async () => {
  service = await startService(CommerceModule, commerceConfig, {
    PUBLIC_URL: 'http://127.0.0.1:1',
    LEDGER_URL: await ledger.listen(),
    LEDGER_RETRIES_MAX: '0',
    LEDGER_TIMEOUT_MS: '60000',
    PURCHASE_SWEEP_MS: '100',
    SANDBOX_WEBHOOK_SECRET: 'a-secret-of-the-tests-for-webhooks',
  });
});
afterAll(async () => {
  await service?.close();
  ledger.close();
});
beforeEach(() => (ledger.away = false));

async function aListing(overrides: object = {}): Promise<string> {
  const promptId = newId('prm');
  const prompt = { ...PromptCreated.example, promptId, ownerId: seller.id };
  await service.publish(exampleEnvelope(PromptCreated, prompt, { subject: promptId }));
  const offer = { promptId, title: 'Studio light', description: 'Soft.', priceCredits: 99, ...overrides };
  const { id } = (await service.as(seller).post(LISTINGS, offer)).body as { id: string };
  await service.as(seller).post(`${LISTINGS}/${id}/submit`);
  expect((await service.as(moderator).post(`${LISTINGS}/${id}/approve`)).status).toBe(200);
  return id;
}

const buy = (buyer: ReturnType<typeof aUser>, listingId: string, key?: string) =>
  service.as(buyer).post(PURCHASES, { listingId }, key ? { 'idempotency-key': key } : {});
const purchaseFacts = async <Data>(definition: Parameters<typeof service.facts<Data>>[0], subject: string) =>
  (await service.facts(definition)).filter((fact) => fact.subject === subject);

describe('buying', () => {
  it('holds the price, completes the purchase and states it with all its parts (R111)', async () => {
    const buyer = aUser();
    const listingId = await aListing();
    const { status, body, headers } = await buy(buyer, listingId);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      ...{ listingId, paymentStatus: 'completed', fulfillmentStatus: 'delivered', priceCredits: 99 },
      ...{ platformFeeCredits: 20, sellerEarningsCredits: 79, buyerId: buyer.id, sellerId: seller.id },
    });
    const [fact, ...more] = await purchaseFacts(PurchaseCompleted, body.id);
    expect(more).toEqual([]);
    expect(fact).toMatchObject({
      actor: `user:${buyer.id}`,
      data: { purchaseId: body.id, priceCredits: 99 },
    });
    expect(ledger.holds.get(fact!.data.holdId)).toMatchObject({
      ...{ userId: buyer.id, amount: 99, type: 'spend_marketplace', sourceId: body.id },
    });
    expect((await service.as(buyer).get(headers.get('location')!)).body).toEqual(body);
    expect((await service.as(buyer).get(PURCHASES)).body.items).toEqual([body]);
  });

  it('passes a lack of credits on as 402, and leaves the way free for later', async () => {
    const buyer = aUser();
    const listingId = await aListing();
    ledger.poor.add(buyer.id);
    expect(await buy(buyer, listingId)).toMatchObject({
      status: 402,
      body: { code: 'ledger.credits.insufficient', available: 3, held: 0, required: 99 },
    });
    const [failed] = (await service.facts(PurchaseFailed)).filter(({ data }) => data.buyerId === buyer.id);
    const holdId = expect.stringMatching(/^hld_/);
    expect(failed!.data).toMatchObject({ holdId, reason: 'insufficient_credits' });
    ledger.poor.delete(buyer.id);
    expect((await buy(buyer, listingId)).status).toBe(201);
  });

  it('is refused for what is own, owned, paused or not for sale, and for visitors', async () => {
    const buyer = aUser();
    const listingId = await aListing();
    expect(await buy(seller, listingId)).toMatchObject({
      status: 403,
      body: { code: 'commerce.listing.own' },
    });
    expect((await buy(buyer, listingId)).status).toBe(201);
    expect(await buy(buyer, listingId)).toMatchObject({
      status: 409,
      body: { code: 'commerce.purchase.already_owned' },
    });
    await service.as(seller).post(`${LISTINGS}/${listingId}/pause`);
    expect(await buy(aUser(), listingId)).toMatchObject({
      status: 409,
      body: { code: 'commerce.listing.paused' },
    });
    await service.as(moderator).post(`${LISTINGS}/${listingId}/suspend`, { reason: 'Reported.' });
    expect(await buy(aUser(), listingId)).toMatchObject({
      status: 404,
      body: { code: 'commerce.listing.not_found' },
    });
    expect((await buy(aUser(), newId('lst'))).status).toBe(404);
    expect((await service.as(buyer).post(PURCHASES, { listingId, priceCredits: 1 })).status).toBe(400);
    expect(
      (await service.as({ kind: 'anonymous', id: 'anonymous' }).post(PURCHASES, { listingId })).status,
    ).toBe(401);
  });

  it('happens once, however often and however the buyer asks at the same time', async () => {
    const buyer = aUser();
    const listingId = await aListing();
    const key = newId('key');
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () => buy(buyer, listingId)),
      ...Array.from({ length: 8 }, () => buy(buyer, listingId, key)),
    ]);
    expect([...new Set(answers.map(({ status }) => status))].sort()).toEqual([201, 409]);
    const facts = (await service.facts(PurchaseCompleted)).filter(({ data }) => data.listingId === listingId);
    expect(facts).toHaveLength(1);
    expect([...ledger.holds.values()].filter(({ userId }) => userId === buyer.id)).toHaveLength(1);
  });

  it('goes on where it was when the ledger is back and the same request comes again', async () => {
    const buyer = aUser();
    const listingId = await aListing();
    const key = newId('key');
    ledger.away = true;
    const refused = await buy(buyer, listingId, key);
    expect(refused).toMatchObject({ status: 503, body: { code: 'ledger.unavailable' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const [pending] = (await service.as(buyer).get(PURCHASES)).body.items;
    expect(pending).toMatchObject({ listingId, paymentStatus: 'pending' });
    ledger.away = false;
    const { status, body } = await buy(buyer, listingId, key);
    expect(status).toBe(201);
    expect(body).toMatchObject({ id: pending.id, paymentStatus: 'completed' });
  });

  it('sells no more than there is, to whoever comes at once', async () => {
    const listingId = await aListing({ stock: 3 });
    const buyers = Array.from({ length: 10 }, () => aUser());
    const sold = new Set<string>();
    for (let round = 0; round < 3; round++)
      for (const [index, { status, body }] of (
        await Promise.all(buyers.map((buyer) => buy(buyer, listingId)))
      ).entries())
        if (status === 201) sold.add(buyers[index]!.id);
        else expect({ status, code: body.code as string }).toMatchObject({ status: 409 });
    expect(sold.size).toBe(3);
    expect(await buy(aUser(), listingId)).toMatchObject({
      status: 409,
      body: { code: 'commerce.listing.sold_out' },
    });
  });
});

describe('a purchase that nobody completes', () => {
  it('is given up, names its hold for the ledger to release, and can be bought anew', async () => {
    const buyer = aUser();
    const listingId = await aListing();
    const key = newId('key');
    ledger.away = true;
    await buy(buyer, listingId, key);
    const [{ id }] = (await service.as(buyer).get(PURCHASES)).body.items;
    await service.database.connection
      .collection('marketplace_purchases')
      .updateOne({ _id: id }, { $set: { createdAt: new Date(Date.now() - 3_600_000) } });
    await eventually(async () => expect(await purchaseFacts(PurchaseFailed, id)).toHaveLength(1));
    const [fact] = await purchaseFacts(PurchaseFailed, id);
    expect(fact!.data).toMatchObject({ reason: 'abandoned', holdId: expect.stringMatching(/^hld_/) });
    ledger.away = false;
    expect(await buy(buyer, listingId, key)).toMatchObject({
      status: 409,
      body: { code: 'commerce.purchase.ended' },
    });
    expect((await buy(buyer, listingId)).status).toBe(201);
  });
});

describe('two purchases for one place', () => {
  it('end with one, and the other one is told what happened in words for people', async () => {
    const { app } = service;
    const [buyer, listingId] = [aUser(), await aListing()];
    const listing = await app.get(ReadListing, { strict: false }).execute(listingId, aContext(buyer));
    const save = () => {
      const origin = { correlationId: 'req_1' };
      const input = { id: newId('pur'), buyerId: buyer.id, listing, platformFeeBasisPoints: 0, origin };
      const change = startPurchase(input, new Date());
      return app.get(PurchaseRepository, { strict: false }).save(change, aContext(buyer));
    };
    await save();
    const lost = save();
    await expect(lost).rejects.toThrow('nothing was charged. Try again');
    await expect(lost).rejects.toMatchObject({ status: 409, code: 'platform.version.conflict' });
  });
});

describe('a refund', () => {
  it('is made by a moderator, in full and once (R34, R116)', async () => {
    const buyer = aUser();
    const listingId = await aListing();
    const { id } = (await buy(buyer, listingId)).body as { id: string };
    const refund = `${PURCHASES}/${id}/refund`;
    expect((await service.as(buyer).post(refund, { reason: 'x' })).status).toBe(403);
    expect((await service.as(moderator).post(refund, {})).status).toBe(400);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => service.as(moderator).post(refund, { reason: 'Not as described.' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    const facts = await purchaseFacts(PurchaseRefunded, id);
    expect(facts).toHaveLength(1);
    expect(facts[0]!.data).toMatchObject({
      refundedBy: moderator.id,
      priceCredits: 99,
      sellerEarningsCredits: 79,
    });
    expect((await service.as(buyer).get(`${PURCHASES}/${id}`)).body).toMatchObject({
      paymentStatus: 'refunded',
      refund: { amountCredits: 99, reason: 'Not as described.' },
    });
    expect((await buy(buyer, listingId)).status).toBe(201);
  });

  it('finds what it did when its process died before the answer was kept, and is still made once (promise 9)', async () => {
    const { id } = (await buy(aUser(), await aListing())).body as { id: string };
    const headers = { 'idempotency-key': newId('key') };
    const refund = (by = moderator) =>
      service.as(by).post(`${PURCHASES}/${id}/refund`, { reason: 'Not as described.' }, headers);
    const first = await refund();
    const lost = { $unset: { answer: '' }, $set: { leasedUntil: new Date(0) } } as const;
    await service.database.connection.collection('_idempotency').updateMany({}, lost);
    expect(await refund()).toMatchObject({ status: 200, body: first.body });
    expect((await refund(aUser('moderator'))).status).toBe(409);
    expect(await purchaseFacts(PurchaseRefunded, id)).toHaveLength(1);
  });

  it('and the purchase itself are nobody else’s to see', async () => {
    const { id } = (await buy(aUser(), await aListing())).body as { id: string };
    expect((await service.as(aUser()).get(`${PURCHASES}/${id}`)).status).toBe(404);
    expect((await service.as(seller).get(`${PURCHASES}/${id}`)).status).toBe(404);
    expect((await service.as(moderator).get(`${PURCHASES}/${id}`)).status).toBe(200);
    expect(
      (await service.as(moderator).post(`${PURCHASES}/${newId('pur')}/refund`, { reason: 'x' })).status,
    ).toBe(404);
  });
});
