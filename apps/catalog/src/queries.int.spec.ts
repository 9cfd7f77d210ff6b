import { promptSummaryView, promptVersionView, promptView } from '@atelier/contracts/catalog/prompts.api';
import { ListingPublished, ListingWithdrawn } from '@atelier/contracts/commerce/listing.events';
import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { UserDeleted } from '@atelier/contracts/identity/user.events';
import { exampleEnvelope, newId } from '@atelier/kernel';
import { pageOf } from '@atelier/service';
import {
  aUser,
  eventually,
  recordQueries,
  startService,
  walk,
  type ServiceUnderTest,
} from '@atelier/testing';
import { catalogConfig } from './catalog.config.js';
import { CatalogModule } from './catalog.module.js';

const PROMPTS = '/api/v1/prompts';
const PROMPT = { title: 'Photo', content: 'A photo.' };
const [writer, buyer] = [aUser(), aUser()];

let catalog: ServiceUnderTest;
beforeAll(async () => {
  catalog = await startService(CatalogModule, catalogConfig, { DEPARTURES_SWEEP_MS: '50' });
});
afterAll(() => catalog?.close());

/** Everything that catalog asks its database, with nothing left out: a new route or reaction fails here first. */
describe('what catalog asks its database', () => {
  it('is asked by every reaction, every route and the sweep, and always finds an index (issue 5)', async () => {
    const queries = recordQueries(catalog.database);
    const { call, expectNothingLeftOut } = walk(catalog);

    const { id } = await call(writer, 'POST', PROMPTS, { body: PROMPT, view: promptView });
    await call(writer, 'POST', PROMPTS, { body: PROMPT });
    const ifMatch = { headers: { 'if-match': '"v1"' } };
    await call(writer, 'PATCH', `${PROMPTS}/<${id}>`, {
      body: { content: 'Two.' },
      ...ifMatch,
      view: promptView,
    });
    for (const query of [
      '',
      '&status=draft',
      '&category=general',
      '&q=photo',
      '&status=draft&category=general',
    ]) {
      const list = `${PROMPTS}?limit=1${query}`;
      const page = await call(writer, 'GET', list, { view: pageOf(promptSummaryView) });
      await call(writer, 'GET', `${list}&cursor=${String(page.nextCursor)}`);
    }
    const versions = `${PROMPTS}/<${id}>/versions?limit=1`;
    const page = await call(writer, 'GET', versions, { view: pageOf(promptVersionView) });
    await call(writer, 'GET', `${versions}&cursor=${String(page.nextCursor)}`);

    const listing = { listingId: newId('lst'), promptId: id, sellerId: writer.id };
    const purchase = { ...listing, buyerId: buyer.id, purchaseId: newId('pur') };
    await catalog.publish(
      exampleEnvelope(ListingPublished, { ...ListingPublished.example, ...listing }),
      exampleEnvelope(PurchaseCompleted, { ...PurchaseCompleted.example, ...purchase }),
    );
    await call(buyer, 'GET', `${PROMPTS}/<${id}>`, { view: promptView });
    await catalog.publish(
      exampleEnvelope(ListingWithdrawn, { ...ListingWithdrawn.example, ...listing }),
      exampleEnvelope(PurchaseRefunded, { ...PurchaseRefunded.example, ...purchase }),
    );
    await call(writer, 'DELETE', `${PROMPTS}/<${id}>`);
    const deletedAt = new Date(0).toISOString();
    const deletion = { ...UserDeleted.example, userId: writer.id, deletedAt };
    await catalog.publish(exampleEnvelope(UserDeleted, deletion, { subject: writer.id }));
    const departures = catalog.database.connection.collection('departures');
    await eventually(async () => expect(await departures.countDocuments({})).toBe(0));

    await expectNothingLeftOut();
    await queries.expectEveryQueryToUseAnIndex();
  });
});
