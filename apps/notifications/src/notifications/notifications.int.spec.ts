import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListingPublished, ListingRejected } from '@atelier/contracts/commerce/listing.events';
import { PaymentFailed, PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { UserRegistered, UserUpdated } from '@atelier/contracts/identity/user.events';
import { notificationView } from '@atelier/contracts/notifications/notifications.api';
import { JobFinished } from '@atelier/contracts/studio/job.events';
import { exampleEnvelope, newId, pageOf, type EventDefinition, type EventEnvelope } from '@atelier/kernel';
import {
  aUser,
  aVisitor,
  eventually,
  startService,
  type Client,
  type ServiceUnderTest,
} from '@atelier/testing';
import { notificationsConfig } from '../notifications.config.js';
import { NotificationsModule } from '../notifications.module.js';

const PATH = '/api/v1/notifications';
let mailbox: string;
let service: ServiceUnderTest;
let person: ReturnType<typeof aUser>;
let own: Client;

beforeAll(async () => {
  mailbox = await mkdtemp(join(tmpdir(), 'mailbox-'));
  service = await startService(NotificationsModule, notificationsConfig, { MAILBOX_DIR: mailbox });
});
afterAll(async () => {
  await service?.close();
  await rm(mailbox, { recursive: true });
});
beforeEach(() => {
  person = aUser();
  own = service.as(person);
});

const rows = (name: string) => service.database.connection.collection(name);
const about = <Data>(fact: EventDefinition<Data>, data: Partial<Data>): EventEnvelope<Data> =>
  exampleEnvelope(fact, { ...fact.example, ...data });
const sale = (buyerId: `usr_${string}` = person.id) =>
  about(PurchaseCompleted, { buyerId, sellerId: newId('usr') });
const itemsOf = async (client: Client, query = ''): Promise<{ id: string; title: string }[]> =>
  pageOf(notificationView).parse((await client.get(PATH + query)).body).items;

describe('a fact', () => {
  it('tells buyer and seller once each, however often it comes', async () => {
    const seller = aUser();
    await service.redeliver(about(PurchaseCompleted, { buyerId: person.id, sellerId: seller.id }));
    const [bought, ...more] = (await own.get(PATH)).body.items;
    expect(more).toEqual([]);
    expect(bought).toMatchObject({
      type: 'success',
      category: 'billing',
      priority: 'normal',
      title: 'You bought “Product photo in a studio”',
      read: false,
      dismissed: false,
      deliveryChannels: ['in_app', 'email'],
    });
    expect((await itemsOf(service.as(seller))).map(({ title }) => title)).toEqual([
      'You sold “Product photo in a studio”',
    ]);
    expect(await rows('email_logs').countDocuments({ userId: person.id })).toBe(1);
  });

  it('tells once even when the inbox has forgotten it', async () => {
    const fact = sale();
    await service.publish(fact);
    await rows('_inbox').deleteMany({});
    await service.publish(fact);
    expect(await itemsOf(own)).toHaveLength(1);
    expect(await rows('email_logs').countDocuments({ userId: person.id })).toBe(1);
    expect(await service.deadLetters()).toEqual([]);
  });

  const cases: readonly [string, (id: `usr_${string}`) => EventEnvelope, string][] = [
    ['PurchaseRefunded', (id) => about(PurchaseRefunded, { buyerId: id }), 'Refunded'],
    ['ListingPublished', (id) => about(ListingPublished, { sellerId: id }), 'is on the marketplace'],
    ['ListingRejected', (id) => about(ListingRejected, { sellerId: id }), 'was not approved'],
    ['PaymentSucceeded', (id) => about(PaymentSucceeded, { userId: id }), 'received'],
    ['PaymentFailed', (id) => about(PaymentFailed, { userId: id }), 'failed'],
    ['JobFinished', (id) => about(JobFinished, { userId: id }), 'is ready'],
    ['UserRegistered', (id) => about(UserRegistered, { userId: id, email: null }), 'Welcome'],
  ];
  it.each(cases)('%s reaches its person once, and may come twice', async (_, fact, words) => {
    await service.redeliver(fact(person.id));
    const items = await itemsOf(own);
    expect(items).toHaveLength(1);
    expect(items[0]!.title).toContain(words);
  });

  it('of a visitor’s job reaches nobody and fails nowhere', async () => {
    await service.publish(about(JobFinished, { userId: null }));
    expect(await service.deadLetters()).toEqual([]);
  });
});

describe('the inbox', () => {
  it('comes newest first, page by page, with a link to the next', async () => {
    for (let i = 0; i < 5; i++) await service.publish(about(PaymentFailed, { userId: person.id }));
    const all = (await itemsOf(own)).map(({ id }) => id);
    const first = await own.get(`${PATH}?limit=2`);
    expect(first.headers.get('link')).toContain('rel="next"');
    const pages = [...first.body.items];
    let cursor = first.body.nextCursor as string | null;
    while (cursor !== null) {
      const { body } = await own.get(`${PATH}?limit=2&cursor=${cursor}`);
      pages.push(...body.items);
      cursor = body.nextCursor;
    }
    expect(pages.map(({ id }) => id)).toEqual(all);
    expect(all).toHaveLength(5);
    const created = pages.map(({ createdAt }) => createdAt as string);
    expect(created).toEqual([...created].sort().reverse());
  });

  it('counts and lists what is unread; reading twice is reading once (R122)', async () => {
    await service.publish(sale(), sale());
    expect((await own.get(`${PATH}/unread-count`)).body).toEqual({ count: 2 });
    const [newest, oldest] = await itemsOf(own);
    const read = await own.post(`${PATH}/${newest!.id}/read`);
    expect(read).toMatchObject({ status: 200, body: { read: true, dismissed: false } });
    expect((await own.post(`${PATH}/${newest!.id}/read`)).body).toEqual(read.body);
    expect((await own.get(`${PATH}/unread-count`)).body).toEqual({ count: 1 });
    expect((await itemsOf(own, '?unread=true')).map(({ id }) => id)).toEqual([oldest!.id]);
    expect(await itemsOf(own, '?unread=false')).toHaveLength(2);
  });

  it('is read as a whole by one request, and only one’s own', async () => {
    const other = aUser();
    await service.publish(sale(), sale(), sale(other.id));
    expect((await own.post(`${PATH}/read-all`)).body).toEqual({ count: 2 });
    expect((await own.post(`${PATH}/read-all`)).body).toEqual({ count: 0 });
    expect((await own.get(`${PATH}/unread-count`)).body).toEqual({ count: 0 });
    expect((await service.as(other).get(`${PATH}/unread-count`)).body).toEqual({ count: 1 });
  });

  it('is read as it is shown: what was dismissed or has expired is not counted', async () => {
    await service.publish(sale(), sale(), sale());
    const [dismissed, expired] = await itemsOf(own);
    await own.post(`${PATH}/${dismissed!.id}/dismiss`);
    await rows('notifications').updateOne(
      { _id: expired!.id as never },
      { $set: { expiresAt: new Date(0) } },
    );
    expect((await own.post(`${PATH}/read-all`)).body).toEqual({ count: 1 });
  });

  it('loses what is dismissed, which stays unread (R122)', async () => {
    await service.publish(sale());
    const [item] = await itemsOf(own);
    const dismissed = await own.post(`${PATH}/${item!.id}/dismiss`);
    expect(dismissed).toMatchObject({ status: 200, body: { read: false, dismissed: true } });
    expect((await own.post(`${PATH}/${item!.id}/dismiss`)).body).toEqual(dismissed.body);
    expect(await itemsOf(own)).toEqual([]);
    expect((await own.get(`${PATH}/unread-count`)).body).toEqual({ count: 0 });
  });

  it('shows nothing that has expired, swept or not (R124)', async () => {
    await service.publish(sale());
    await rows('notifications').updateOne({ userId: person.id }, { $set: { expiresAt: new Date(0) } });
    expect(await itemsOf(own)).toEqual([]);
    expect((await own.get(`${PATH}/unread-count`)).body).toEqual({ count: 0 });
  });

  it('is its owner’s: others get 404 and change nothing, visitors get 401', async () => {
    await service.publish(sale());
    const [item] = await itemsOf(own);
    const stranger = service.as(aUser('super_admin'));
    for (const action of ['read', 'dismiss']) {
      const refused = await stranger.post(`${PATH}/${item!.id}/${action}`);
      expect(refused).toMatchObject({
        status: 404,
        body: { code: 'notifications.notification.not_found' },
      });
    }
    expect(await itemsOf(stranger)).toEqual([]);
    expect((await service.as(aVisitor).get(PATH)).status).toBe(401);
    expect(await itemsOf(own, '?unread=true')).toHaveLength(1);
  });

  it.each(['?limit=0', '?limit=101', '?unread=yes', '?cursor=nonsense', '?userId=usr_1'])(
    'refuses %s',
    async (query) => {
      const refused = await own.get(PATH + query);
      expect(refused.status).toBe(400);
      expect(refused.headers.get('content-type')).toContain('application/problem+json');
    },
  );

  it('refuses an id that is none', async () => {
    expect((await own.post(`${PATH}/pur_1/read`)).status).toBe(400);
    expect((await own.post(`${PATH}/${newId('ntf')}/read`)).status).toBe(404);
  });
});

describe('a deleted account', () => {
  it('takes its notifications and e-mails with it, and its address (R488)', async () => {
    const user = { userId: person.id, email: `${person.id}@example.org` };
    await service.publish(
      exampleEnvelope(UserRegistered, { ...UserRegistered.example, ...user }, { subject: person.id }),
      sale(),
    );
    expect(await itemsOf(own)).toHaveLength(2);
    const gone = { ...UserUpdated.example, ...user, accountStatus: 'deleted' as const };
    await service.redeliver(exampleEnvelope(UserUpdated, gone, { subject: person.id, version: 2 }));
    expect(await rows('notifications').countDocuments({ userId: person.id })).toBe(0);
    expect(await rows('email_logs').countDocuments({ userId: person.id })).toBe(0);
    const left = await rows('view_recipients').findOne({ _id: person.id as never });
    expect(left).toMatchObject({ email: null, displayName: '', accountStatus: 'deleted' });
  });

  it('is told nothing any more, and the other side of a sale still is', async () => {
    const gone = { ...UserUpdated.example, userId: person.id, accountStatus: 'deleted' as const };
    await service.publish(exampleEnvelope(UserUpdated, gone, { subject: person.id, version: 2 }));
    const seller = aUser();
    await service.publish(about(PurchaseCompleted, { buyerId: person.id, sellerId: seller.id }));
    expect(await rows('notifications').countDocuments({ userId: person.id })).toBe(0);
    expect(await rows('email_logs').countDocuments({ userId: person.id })).toBe(0);
    expect(await itemsOf(service.as(seller))).toHaveLength(1);
  });
});

it('leaves no half-written mail behind', () =>
  // One may just be written.
  eventually(async () => {
    expect((await readdir(mailbox)).filter((name) => !/^eml_\w+\.eml$/.test(name))).toEqual([]);
  }));
