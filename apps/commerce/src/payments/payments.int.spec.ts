import { PaymentFailed, PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { newId } from '@atelier/kernel';
import { aUser, aVisitor, eventually, startService, type ServiceUnderTest } from '@atelier/testing';
import { commerceConfig } from '../commerce.config.js';
import { CommerceModule } from '../commerce.module.js';
import { openGateway, type Gateway } from './gateway.fixture.js';
import { SANDBOX_SIGNATURE_HEADER, signSandboxWebhook } from './sandbox/sandbox-signature.js';

const SECRET = 'a-secret-of-the-tests-for-webhooks';
const ACTOR_SECRET = 'the-secret-that-the-gateway-signs-with';
const WEBHOOK = '/api/v1/webhooks/sandbox';
const RACES = 20;
let gateway: Gateway;
let service: ServiceUnderTest;

beforeAll(async () => {
  gateway = await openGateway(ACTOR_SECRET, () => service.url);
  service = await startService(CommerceModule, commerceConfig, {
    PUBLIC_URL: gateway.url,
    LEDGER_URL: 'http://127.0.0.1:1',
    SANDBOX_WEBHOOK_SECRET: SECRET,
    ACTOR_SECRET,
    WEBHOOK_SWEEP_MS: '100',
    // An attempt that a busy machine holds up is neither given up nor made twice.
    WEBHOOK_LEASE_MS: '60000',
    SANDBOX_WEBHOOK_TIMEOUT_MS: '60000',
  });
});
afterAll(async () => {
  await service?.close();
  gateway.close();
});

const packages = async () => (await service.as(aVisitor).get('/api/v1/billing/credit-packages')).body.items;
async function checkout(buyer = aUser()) {
  const [, creator] = await packages();
  const answer = await service.as(buyer).post('/api/v1/billing/checkouts', { creditPackageId: creator.id });
  expect(answer.status).toBe(201);
  const { payment, checkoutUrl } = answer.body as { payment: { id: string }; checkoutUrl: string };
  return { buyer, paymentId: payment.id, checkoutUrl, page: new URL(checkoutUrl).pathname, answer };
}
const statusOf = async (buyer: ReturnType<typeof aUser>, id: string) =>
  (await service.as(buyer).get(`/api/v1/billing/payments/${id}`)).body.status as string;
const factsOf = async (id: string) => (await service.facts()).filter(({ subject }) => subject === id);
const stored = (eventId: string) =>
  service.database.connection.collection('webhook_events').findOne({ eventId });

const event = (checkoutUrl: string, paymentId: string, overrides: object = {}, id = newId('evt')) => {
  const checkoutId = checkoutUrl.split('/').at(-1)!;
  const data = { checkoutId, paymentId, amount: { amount: 1_999, currency: 'USD' }, ...overrides };
  return { id, body: JSON.stringify({ id, type: 'checkout.succeeded', data }) };
};
const deliver = (body: string, signature = signSandboxWebhook(SECRET, body, new Date())) =>
  service
    .as(aVisitor)
    .post(WEBHOOK, body, { 'content-type': 'application/json', [SANDBOX_SIGNATURE_HEADER]: signature });

describe('credit packages', () => {
  it('are public, in the order of the pricing page, at prices in minor units (R245, R247)', async () => {
    expect(await packages()).toMatchObject([
      { name: 'Starter', credits: 100, bonusCredits: 0, price: { amount: '499', currency: 'USD' } },
      { name: 'Creator', credits: 500, bonusCredits: 50, price: { amount: '1999', currency: 'USD' } },
      { name: 'Studio', credits: 2000, bonusCredits: 400, price: { amount: '5999', currency: 'USD' } },
    ]);
  });

  it('are not sold once they are inactive, and kept (R246)', async () => {
    const [starter] = await packages();
    const collection = service.database.connection.collection('credit_packages');
    await collection.updateOne({ _id: starter.id }, { $set: { active: false } });
    expect((await packages()).map(({ name }: { name: string }) => name)).toEqual(['Creator', 'Studio']);
    const refused = await service
      .as(aUser())
      .post('/api/v1/billing/checkouts', { creditPackageId: starter.id });
    expect(refused).toMatchObject({ status: 404, body: { code: 'commerce.credit_package.not_found' } });
    await collection.updateOne({ _id: starter.id }, { $set: { active: true } });
  });
});

describe('a checkout', () => {
  it('is paid at the provider, told by a signed webhook, and stated once with the bonus (R252)', async () => {
    const { buyer, paymentId, page, answer } = await checkout();
    expect(answer.body.payment).toMatchObject({
      status: 'pending',
      amount: { amount: '1999', currency: 'USD' },
    });
    expect((await service.as(aVisitor).post(`${page}/succeed`)).status).toBe(200);
    await eventually(async () => expect(await statusOf(buyer, paymentId)).toBe('succeeded'));
    const facts = await factsOf(paymentId);
    expect(facts).toHaveLength(1);
    expect(facts[0]).toMatchObject({
      ...{
        type: PaymentSucceeded.type,
        actor: 'service:commerce',
        correlationId: answer.headers.get('x-request-id'),
      },
      data: {
        userId: buyer.id,
        credits: 550,
        amount: { amount: '1999', currency: 'USD' },
        provider: 'sandbox',
      },
    });
  });

  it('that fails is kept with its reason, and cannot succeed afterwards (R250)', async () => {
    const { buyer, paymentId, page } = await checkout();
    await service.as(aVisitor).post(`${page}/fail`);
    await eventually(async () => expect(await statusOf(buyer, paymentId)).toBe('failed'));
    const [fact] = await factsOf(paymentId);
    expect(fact).toMatchObject({ type: PaymentFailed.type, data: { reason: 'card_declined' } });
    expect(await service.as(aVisitor).post(`${page}/succeed`)).toMatchObject({
      status: 409,
      body: { code: 'commerce.sandbox.settled' },
    });
  });

  it('is opened once per idempotency key', async () => {
    const [starter] = await packages();
    const buyer = aUser();
    const send = (key: string) =>
      service
        .as(buyer)
        .post('/api/v1/billing/checkouts', { creditPackageId: starter.id }, { 'idempotency-key': key });
    const key = newId('key');
    const first = await send(key);
    expect((await send(key)).body).toEqual(first.body);
    expect((await send(newId('key'))).body.payment.id).not.toBe(first.body.payment.id);
    expect((await service.as(buyer).get('/api/v1/billing/payments')).body.items).toHaveLength(2);
  });

  it("is its payer's own", async () => {
    const { paymentId } = await checkout();
    expect((await service.as(aUser()).get(`/api/v1/billing/payments/${paymentId}`)).status).toBe(404);
    expect((await service.as(aUser()).post(`/api/v1/billing/payments/${paymentId}/confirm`)).status).toBe(
      404,
    );
    expect((await service.as(aVisitor).get(`/api/v1/billing/payments/${paymentId}`)).status).toBe(401);
    expect(
      (await service.as(aUser()).post('/api/v1/billing/checkouts', { creditPackageId: 'x' })).status,
    ).toBe(400);
  });

  it(`is settled once when the payer's return and the webhooks race, ${RACES} times`, async () => {
    for (let race = 0; race < RACES; race++) {
      const { buyer, paymentId, checkoutUrl, page } = await checkout();
      const confirm = () => service.as(buyer).post(`/api/v1/billing/payments/${paymentId}/confirm`);
      const answers = await Promise.all([
        service.as(aVisitor).post(`${page}/succeed`),
        confirm(),
        deliver(event(checkoutUrl, paymentId).body),
        confirm(),
        service.as(aVisitor).post(`${page}/succeed`),
        confirm(),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      await eventually(async () => expect(await statusOf(buyer, paymentId)).toBe('succeeded'));
      expect(await factsOf(paymentId)).toHaveLength(1);
    }
  });
});

describe('a webhook', () => {
  it('without our signature, or with an old one, is refused and not stored (R439)', async () => {
    const { buyer, paymentId, checkoutUrl } = await checkout();
    const { id, body } = event(checkoutUrl, paymentId);
    const old = signSandboxWebhook(SECRET, body, new Date(Date.now() - 301_000));
    const forged = signSandboxWebhook('another-secret-of-the-same-length', body, new Date());
    expect(await deliver(body, old)).toMatchObject({
      status: 400,
      body: { code: 'commerce.webhook.timestamp' },
    });
    for (const signature of [forged, 'nonsense', ''])
      expect(await deliver(body, signature)).toMatchObject({
        status: 400,
        body: { code: 'commerce.webhook.signature' },
      });
    const tampered = body.replace('1999', '1');
    expect((await deliver(tampered, signSandboxWebhook(SECRET, body, new Date()))).status).toBe(400);
    expect(
      (
        await service
          .as(aVisitor)
          .post('/api/v1/webhooks/nobody', body, { 'content-type': 'application/json' })
      ).status,
    ).toBe(404);
    expect(await stored(id)).toBeNull();
    expect(await statusOf(buyer, paymentId)).toBe('pending');
  });

  it('is stored as it came and takes effect once, however often it is sent (R439, R440, R624, R625)', async () => {
    const { paymentId, checkoutUrl } = await checkout();
    const { id, body } = event(checkoutUrl, paymentId);
    const answers = await Promise.all(Array.from({ length: 5 }, () => deliver(body)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(answers.filter((answer) => !answer.body.duplicate)).toHaveLength(1);
    await eventually(async () =>
      expect(await stored(id)).toMatchObject({ result: 'applied', payload: body }),
    );
    expect(await factsOf(paymentId)).toHaveLength(1);
  });

  it('is worked on again after a crash, to no second effect (R441)', async () => {
    const { paymentId, checkoutUrl } = await checkout();
    const { id, body } = event(checkoutUrl, paymentId);
    await deliver(body);
    await eventually(async () => expect(await stored(id)).toMatchObject({ result: 'applied' }));
    // As a process leaves it that died after settling the payment and before marking the event.
    await service.database.connection
      .collection('webhook_events')
      .updateOne(
        { eventId: id },
        { $set: { nextAttemptAt: new Date(0) }, $unset: { result: '', processedAt: '' } },
      );
    await eventually(async () => expect(await stored(id)).toMatchObject({ result: 'applied', attempts: 2 }));
    expect(await factsOf(paymentId)).toHaveLength(1);
  });

  it('about another sum or an unknown payment settles nothing and stays to be looked at', async () => {
    const { buyer, paymentId, checkoutUrl } = await checkout();
    const wrong = event(checkoutUrl, paymentId, { amount: { amount: 1, currency: 'USD' } });
    const unknown = event(checkoutUrl, newId('pay'));
    for (const { id, body } of [wrong, unknown]) {
      expect((await deliver(body)).status).toBe(200);
      await eventually(async () => expect(await stored(id)).toMatchObject({ result: 'refused' }));
    }
    expect(await statusOf(buyer, paymentId)).toBe('pending');
    expect(await factsOf(paymentId)).toEqual([]);
  });
});

describe('the sandbox', () => {
  it('is not there in production: no page, no webhook, no payment', async () => {
    const env = {
      NODE_ENV: 'production',
      PUBLIC_URL: 'http://127.0.0.1:1',
      LEDGER_URL: 'http://127.0.0.1:1',
      SANDBOX_WEBHOOK_SECRET: SECRET,
    };
    // Production has no bus in memory.
    const live = await startService(CommerceModule, commerceConfig, env, { bus: 'kafka' });
    try {
      const page = `/api/v1/sandbox/checkouts/${newId('sbx')}`;
      expect((await live.as(aVisitor).post(`${page}/succeed`)).status).toBe(404);
      expect((await live.as(aVisitor).get(page)).status).toBe(404);
      const { body } = event('https://x/sbx_1', newId('pay'));
      const signature = { [SANDBOX_SIGNATURE_HEADER]: signSandboxWebhook(SECRET, body, new Date()) };
      expect(
        (await live.as(aVisitor).post(WEBHOOK, body, { 'content-type': 'application/json', ...signature }))
          .status,
      ).toBe(404);
      const [starter] = (await live.as(aVisitor).get('/api/v1/billing/credit-packages')).body.items;
      const refused = await live
        .as(aUser())
        .post('/api/v1/billing/checkouts', { creditPackageId: starter.id });
      expect(refused).toMatchObject({ status: 503, body: { code: 'commerce.payment_provider.none' } });
    } finally {
      await live.close();
    }
  });
});
