import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { exampleEnvelope, newId, type Id } from '@atelier/kernel';
import { aService, aUser, startService, type Client, type ServiceUnderTest } from '@atelier/testing';
import { catalogConfig } from '../catalog.config.js';
import { CatalogModule } from '../catalog.module.js';

const CONTENT = 'A photo of {subject}, soft light.';

let catalog: ServiceUnderTest;
let seller: ReturnType<typeof aUser>;
let buyer: ReturnType<typeof aUser>;
let own: Client;
let bought: Client;
let promptId: Id<'prm'>;

beforeAll(async () => {
  catalog = await startService(CatalogModule, catalogConfig);
});
afterAll(() => catalog?.close());
beforeEach(async () => {
  seller = aUser();
  buyer = aUser();
  own = catalog.as(seller);
  bought = catalog.as(buyer);
  promptId = (await own.post('/api/v1/prompts', { title: 'Sold', content: CONTENT })).body.id;
});

const read = async (): Promise<[number, string | undefined]> => {
  const { status, body } = await bought.get(`/api/v1/prompts/${promptId}`);
  return [status, body.content];
};
const purchase = (purchaseId = newId('pur')) => {
  const { completedAt, ...example } = PurchaseCompleted.example;
  const parts = { ...example, purchaseId, promptId, buyerId: buyer.id, sellerId: seller.id };
  const about = { subject: purchaseId };
  return {
    completed: exampleEnvelope(PurchaseCompleted, { ...parts, completedAt }, about),
    refunded: exampleEnvelope(
      PurchaseRefunded,
      {
        ...parts,
        refundedBy: newId('usr'),
        reason: 'Not as described.',
        refundedAt: '2026-11-21T09:00:00.000Z',
      },
      { ...about, version: 2 },
    ),
  };
};

describe('a buyer', () => {
  it('reads the content once the purchase is complete, and the completion may come twice', async () => {
    expect(await read()).toEqual([404, undefined]);
    const { completed } = purchase();
    await catalog.redeliver(completed);
    expect(await read()).toEqual([200, CONTENT]);
    const answer = await bought.get(`/api/v1/prompts/${promptId}`);
    expect(answer.body.access).toBe('buyer');
    expect(answer.headers.get('etag')).toBeNull();
    expect(await rowsOf(promptId)).toBe(1);
  });

  it('reads the current content, and cannot change or delete it', async () => {
    await catalog.publish(purchase().completed);
    const path = `/api/v1/prompts/${promptId}`;
    await own.patch(path, { content: 'Better light.' }, { 'if-match': '"v1"' });
    expect(await read()).toEqual([200, 'Better light.']);
    expect((await bought.patch(path, { title: 'Mine' }, { 'if-match': '"v2"' })).status).toBe(404);
    expect((await bought.delete(path)).status).toBe(404);
    expect((await bought.get(`${path}/versions`)).status).toBe(404);
  });

  it('still reads a prompt that its owner deleted', async () => {
    await catalog.publish(purchase().completed);
    expect((await own.delete(`/api/v1/prompts/${promptId}`)).status).toBe(204);
    const { status, body } = await bought.get(`/api/v1/prompts/${promptId}`);
    expect([status, body.content, typeof body.deletedAt]).toEqual([200, CONTENT, 'string']);
    expect((await catalog.as(aUser()).get(`/api/v1/prompts/${promptId}`)).status).toBe(404);
  });

  it('reads it no more after the refund, which may come twice too', async () => {
    const { completed, refunded } = purchase();
    await catalog.publish(completed);
    await catalog.redeliver(refunded);
    expect(await read()).toEqual([404, undefined]);
  });

  it('gets nothing when the refund comes before the completion', async () => {
    const { completed, refunded } = purchase();
    await catalog.publish(refunded, completed);
    expect(await read()).toEqual([404, undefined]);
    expect(await rowsOf(promptId)).toBe(1);
  });

  it('keeps a newer purchase when the refund of an older one comes late', async () => {
    const first = purchase();
    const second = purchase();
    await catalog.publish(first.completed, second.completed, first.refunded);
    expect(await read()).toEqual([200, CONTENT]);
    await catalog.publish(second.refunded);
    expect(await read()).toEqual([404, undefined]);
  });

  it('gives nothing to another user', async () => {
    await catalog.publish(purchase().completed);
    expect((await catalog.as(aUser()).get(`/api/v1/prompts/${promptId}`)).status).toBe(404);
  });
});

describe('the view', () => {
  it('is the same after it is rebuilt from its topics', async () => {
    const [kept, undone] = [purchase(), purchase()];
    await catalog.publish(kept.completed, undone.completed, undone.refunded);
    const view = catalog.database.connection.collection('view_entitlements');
    const before = await view.find({}).sort({ _id: 1 }).toArray();
    await view.deleteMany({});
    const replay = '/internal/projections/catalog.view-entitlements/replay';
    expect((await catalog.as(aUser('super_admin')).post(replay)).status).toBe(403);
    const { status, body } = await catalog.as(aService('operations')).post(replay);
    expect(status).toBe(200);
    expect(body.events).toBeGreaterThanOrEqual(3);
    expect(await view.find({}).sort({ _id: 1 }).toArray()).toEqual(before);
    expect(before.length).toBeGreaterThan(0);
    expect(await read()).toEqual([200, CONTENT]);
  });
});

const rowsOf = (id: string): Promise<number> =>
  catalog.database.connection.collection('view_entitlements').countDocuments({ promptId: id });
