import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListingPublished, ListingRejected } from '@atelier/contracts/commerce/listing.events';
import { PaymentFailed, PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PurchaseCompleted, PurchaseRefunded } from '@atelier/contracts/commerce/purchase.events';
import { UserRegistered, UserUpdated } from '@atelier/contracts/identity/user.events';
import { JobFinished } from '@atelier/contracts/studio/job.events';
import { exampleEnvelope, newId, type EventDefinition } from '@atelier/kernel';
import { OpenApiDocument } from '@atelier/service';
import { aUser, eventually, recordQueries, startService, type ServiceUnderTest } from '@atelier/testing';
import { notificationsConfig } from './notifications.config.js';
import { NotificationsModule } from './notifications.module.js';

const SOURCES = join(process.cwd(), 'apps/notifications/src');
const PATH = '/api/v1/notifications';

/** Everything that notifications asks its database: a new route or reaction fails here first. */
describe('what notifications asks its database', () => {
  const person = aUser();
  let mailbox: string;
  let service: ServiceUnderTest;
  beforeAll(async () => {
    mailbox = await mkdtemp(join(tmpdir(), 'mailbox-'));
    service = await startService(NotificationsModule, notificationsConfig, {
      MAILBOX_DIR: mailbox,
      EMAIL_POLL_MS: '50',
    });
  });
  afterAll(async () => {
    await service?.close();
    await rm(mailbox, { recursive: true });
  });

  const called = new Set<string>();
  async function call(method: 'get' | 'post', path: string) {
    const answer = await service.as(person)[method](path.replace(/[<>]/g, ''));
    expect([path, answer.status]).toEqual([path, 200]);
    called.add(`${method} ${path.split('?')[0]!.replace(/<[^>]+>/g, '{id}')}`);
    return answer.body;
  }
  async function routes(): Promise<string[]> {
    const { paths } = await service.app.get(OpenApiDocument, { strict: false }).get();
    return Object.entries(paths)
      .filter(([path]) => path.startsWith('/api/'))
      .flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`));
  }
  async function reactions(): Promise<string[]> {
    const ids: string[] = [];
    for await (const file of glob('**/*.{consumer,projection}.ts', { cwd: SOURCES })) {
      const source = await readFile(join(SOURCES, file), 'utf8');
      ids.push(...[...source.matchAll(/\bid: '(notifications\.[a-z-]+)'/g)].map(([, id]) => id!));
    }
    return ids;
  }
  const about = <Data>(fact: EventDefinition<Data>, data: Partial<Data>, version = 1) =>
    exampleEnvelope(fact, { ...fact.example, ...data }, { subject: person.id, version });

  it('is asked by every reaction, every route and the sending of mail, and always finds an index (issue 5)', async () => {
    const queries = recordQueries(service.database);
    const { id: userId } = person;
    await service.publish(
      about(UserRegistered, { userId }),
      about(PurchaseCompleted, { buyerId: userId, sellerId: newId('usr') }),
      about(PurchaseRefunded, { buyerId: userId, sellerId: newId('usr') }),
      about(ListingPublished, { sellerId: userId }),
      about(ListingRejected, { sellerId: userId }),
      about(PaymentSucceeded, { userId }),
      about(PaymentFailed, { userId }),
      about(JobFinished, { userId }),
    );
    const emails = service.database.connection.collection('email_logs');
    await eventually(async () =>
      expect(await emails.countDocuments({ userId, status: 'sent' })).toBeGreaterThan(0),
    );
    await service.settled();

    await call('get', `${PATH}/unread-count`);
    for (const query of ['limit=1', 'limit=1&unread=true']) {
      const { nextCursor } = await call('get', `${PATH}?${query}`);
      await call('get', `${PATH}?${query}&cursor=${String(nextCursor)}`);
    }
    const { items } = await call('get', PATH);
    for (const verb of ['read', 'dismiss']) await call('post', `${PATH}/<${items[0].id}>/${verb}`);
    await call('post', `${PATH}/read-all`);
    await service.publish(about(UserUpdated, { userId, accountStatus: 'deleted' }, 2));

    const inbox = await service.database.connection.collection('_inbox').find({}).toArray();
    const reacted = new Set(inbox.map(({ _id }) => String(_id).split(':')[0]!));
    expect([...reacted].sort()).toEqual((await reactions()).sort());
    expect([...called].sort()).toEqual((await routes()).sort());
    expect(queries.count).toBeGreaterThan(called.size);
    await queries.expectEveryQueryToUseAnIndex();
  });
});
