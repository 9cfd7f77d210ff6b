import { PromptCreated, PromptDeleted } from '@atelier/contracts/catalog/prompt.events';
import { listingView, LISTING_SORTS } from '@atelier/contracts/commerce/listings.api';
import { checkoutView, creditPackageView, paymentView } from '@atelier/contracts/commerce/payments.api';
import { purchaseView } from '@atelier/contracts/commerce/purchases.api';
import { exampleEnvelope, newId } from '@atelier/kernel';
import { pageOf } from '@atelier/service';
import {
  aUser,
  aVisitor,
  eventually,
  recordQueries,
  startService,
  walk,
  type RecordedQueries,
  type ServiceUnderTest,
  type Walk,
} from '@atelier/testing';
import { commerceConfig } from './commerce.config.js';
import { CommerceModule } from './commerce.module.js';
import { openGateway, type Gateway } from './payments/gateway.fixture.js';
import { SANDBOX_SIGNATURE_HEADER, signSandboxWebhook } from './payments/sandbox/sandbox-signature.js';
import { Ledger } from './purchases/ledger.fixture.js';

const LISTINGS = '/api/v1/marketplace/listings';
const PURCHASES = '/api/v1/marketplace/purchases';
const BILLING = '/api/v1/billing';
const ACTOR_SECRET = 'the-secret-that-the-gateway-signs-with';
const SANDBOX_WEBHOOK_SECRET = 'a-secret-of-the-tests-for-webhooks';
const [seller, buyer, moderator] = [aUser(), aUser(), aUser('moderator')];
const ledger = new Ledger();

let gateway: Gateway;
let commerce: ServiceUnderTest;
let queries: RecordedQueries;
let call: Walk['call'];
let expectNothingLeftOut: Walk['expectNothingLeftOut'];
beforeAll(async () => {
  gateway = await openGateway(ACTOR_SECRET, () => commerce.url);
  commerce = await startService(CommerceModule, commerceConfig, {
    ACTOR_SECRET,
    SANDBOX_WEBHOOK_SECRET,
    PUBLIC_URL: gateway.url,
    LEDGER_URL: await ledger.listen(),
    LEDGER_RETRIES_MAX: '0',
    LEDGER_TIMEOUT_MS: '60000',
    PURCHASE_SWEEP_MS: '50',
    WEBHOOK_SWEEP_MS: '50',
    SANDBOX_WEBHOOK_TIMEOUT_MS: '60000',
  });
  queries = recordQueries(commerce.database);
  ({ call, expectNothingLeftOut } = walk(commerce));
});
afterAll(async () => {
  await commerce?.close();
  gateway.close();
  ledger.close();
});

async function aListing(more: object = {}): Promise<{ id: string; promptId: `prm_${string}` }> {
  const promptId = newId('prm');
  const prompt = { ...PromptCreated.example, promptId, ownerId: seller.id };
  await commerce.publish(exampleEnvelope(PromptCreated, prompt, { subject: promptId }));
  const body = { promptId, title: 'Zebra', description: 'Soft light.', priceCredits: 99, ...more };
  return (await call(seller, 'POST', LISTINGS, { body, view: listingView })) as never;
}
const move = (actor: typeof seller, id: string, verb: string, body?: object) =>
  call(actor, 'POST', `${LISTINGS}/<${id}>/${verb}`, { body, view: listingView });
async function anApproved(more: object = {}) {
  const listing = await aListing(more);
  await move(seller, listing.id, 'submit');
  await move(moderator, listing.id, 'approve');
  return listing;
}
async function pages(actor: Parameters<Walk['call']>[0], path: string, view: object): Promise<void> {
  const { nextCursor } = await call(actor, 'GET', path, { view: pageOf(view as never) });
  if (nextCursor) await call(actor, 'GET', `${path}&cursor=${String(nextCursor)}`);
}

async function sell(): Promise<void> {
  const [plain, limited] = [await anApproved(), await anApproved({ stock: 3 })];
  const refused = await aListing();
  await move(seller, refused.id, 'submit');
  await move(moderator, refused.id, 'reject', { reason: 'Another prompt.' });
  const ifMatch = { 'if-match': '"v3"' };
  const path = `${LISTINGS}/<${refused.id}>`;
  await call(seller, 'PATCH', path, { body: { title: 'Better' }, headers: ifMatch, view: listingView });
  await call(seller, 'GET', path, { view: listingView });
  await call(seller, 'DELETE', path);
  await move(seller, plain.id, 'pause');
  await move(seller, plain.id, 'resume');
  for (const sort of LISTING_SORTS)
    for (const filter of ['', '&category=image', '&q=zebra%20soft', '&category=image&q=zebra'])
      await pages(aVisitor, `${LISTINGS}?limit=1&sort=${sort}${filter}`, listingView);
  for (const filter of ['', '&status=approved'])
    await pages(seller, `${LISTINGS}?limit=1&seller=me${filter}`, listingView);
  await pages(moderator, `${LISTINGS}?limit=1&status=deleted`, listingView);

  const buy = (listingId: string) =>
    call(buyer, 'POST', PURCHASES, { body: { listingId }, view: purchaseView });
  const { id } = await buy(plain.id);
  await buy(limited.id);
  await pages(buyer, `${PURCHASES}?limit=1`, purchaseView);
  await call(buyer, 'GET', `${PURCHASES}/<${id}>`, { view: purchaseView });
  const refund = { body: { reason: 'Not as described.' }, view: purchaseView };
  await call(moderator, 'POST', `${PURCHASES}/<${id}>/refund`, refund);
  await move(moderator, plain.id, 'suspend', { reason: 'Reported.' });
  const deletion = { promptId: limited.promptId, ownerId: seller.id, deletedAt: new Date().toISOString() };
  await commerce.publish(exampleEnvelope(PromptDeleted, deletion, { subject: limited.promptId, version: 2 }));
}

/** The sweep gives up what nobody completes. */
async function leavePending(): Promise<void> {
  const { id: listingId } = await anApproved();
  ledger.away = true;
  expect((await commerce.as(buyer).post(PURCHASES, { listingId })).status).toBe(503);
  const purchases = commerce.database.connection.collection('marketplace_purchases');
  await purchases.updateOne({ listingId }, { $set: { createdAt: new Date(0) } });
  const failed = { listingId, paymentStatus: 'failed' };
  await eventually(async () => expect(await purchases.countDocuments(failed)).toBe(1));
}

async function pay(): Promise<void> {
  const list = `${BILLING}/credit-packages?limit=1`;
  await pages(aVisitor, list, creditPackageView);
  const [{ id: creditPackageId }] = (await commerce.as(aVisitor).get(list)).body.items;
  const checkout = { body: { creditPackageId }, view: checkoutView };
  for (const end of ['succeed', 'fail']) {
    const { payment, checkoutUrl } = await call(buyer, 'POST', `${BILLING}/checkouts`, checkout);
    const id = String(checkoutUrl).split('/').at(-1)!;
    await call(aVisitor, 'GET', `/api/v1/sandbox/checkouts/<${id}>`);
    await call(aVisitor, 'POST', `/api/v1/sandbox/checkouts/<${id}>/${end}`);
    await call(buyer, 'POST', `${BILLING}/payments/<${payment.id}>/confirm`, { view: paymentView });
    await call(buyer, 'GET', `${BILLING}/payments/<${payment.id}>`, { view: paymentView });
  }
  await pages(buyer, `${BILLING}/payments?limit=1`, paymentView);
  const amount = { amount: 1, currency: 'USD' };
  const data = { checkoutId: 'none', paymentId: newId('pay'), amount };
  const body = JSON.stringify({ id: newId('evt'), type: 'checkout.succeeded', data });
  const signature = signSandboxWebhook(SANDBOX_WEBHOOK_SECRET, body, new Date());
  const headers = { 'content-type': 'application/json', [SANDBOX_SIGNATURE_HEADER]: signature };
  await call(aVisitor, 'POST', '/api/v1/webhooks/<sandbox>', { body, headers });
}

/** Everything that commerce asks its database, with nothing left out: a new route or reaction fails here first. */
describe('what commerce asks its database', () => {
  it('is asked by every reaction, every route and every sweep, and always finds an index (issue 5)', async () => {
    await sell();
    await pay();
    await leavePending();
    await commerce.settled();
    await expectNothingLeftOut();
    // The price list: a handful of rows, nearly all of them sold. To read it whole is the shortest way.
    await queries.expectEveryQueryToUseAnIndex({ except: ['credit_packages'] });
  });
});
