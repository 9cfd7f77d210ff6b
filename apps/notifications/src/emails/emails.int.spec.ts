import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PaymentSucceeded } from '@atelier/contracts/commerce/payment.events';
import { PurchaseCompleted } from '@atelier/contracts/commerce/purchase.events';
import { UserRegistered, UserUpdated } from '@atelier/contracts/identity/user.events';
import { DeliveryFailed, DeliverySent } from '@atelier/contracts/notifications/delivery.events';
import { exampleEnvelope } from '@atelier/kernel';
import { aService, aUser, eventually, startService, type ServiceUnderTest } from '@atelier/testing';
import { notificationsConfig } from '../notifications.config.js';
import { NotificationsModule } from '../notifications.module.js';
import { ClaimDueEmails } from './claim-due-emails.usecase.js';
import type { Email } from './email.domain.js';
import { startMailServer, type MailServer } from './mail-server.fixture.js';
import { SendEmails } from './send-emails.usecase.js';

let server: MailServer;
let mailbox: string;
let service: ServiceUnderTest;

beforeAll(async () => {
  server = await startMailServer();
  mailbox = await mkdtemp(join(tmpdir(), 'mailbox-'));
  service = await startWith({ EMAIL_ATTEMPTS_MAX: '40' });
});
const startWith = (limits: Record<string, string>) =>
  startService(NotificationsModule, notificationsConfig, {
    SMTP_URL: server.url,
    MAILBOX_DIR: mailbox,
    PUBLIC_URL: 'https://atelier.example',
    EMAIL_POLL_MS: '20',
    EMAIL_BATCH_MAX: '1',
    EMAIL_BACKOFF_BASE_MS: '10',
    EMAIL_BACKOFF_MAX_MS: '500',
    SMTP_TIMEOUT_MS: '30000',
    ...limits,
  });
afterAll(async () => {
  await service?.close();
  await server?.close();
  await rm(mailbox, { recursive: true });
});

type Row = Record<string, unknown>;
const emails = (of = service) => of.database.connection.collection('email_logs');
const paid = (userId: `usr_${string}`) =>
  exampleEnvelope(PaymentSucceeded, { ...PaymentSucceeded.example, userId });
const known = (userId: `usr_${string}`, email: string | null = `${userId}@example.org`) =>
  exampleEnvelope(UserUpdated, { ...UserUpdated.example, userId, email }, { subject: userId });
const ended = (userId: string, status: string, of = service): Promise<Row> =>
  eventually(async () => {
    const row = await emails(of).findOne({ userId });
    expect(row).toMatchObject({ status });
    return row as Row;
  });
const sendEmails = () => service.app.get(SendEmails, { strict: false });
const receivedBy = (userId: string) => server.mails.filter((mail) => mail.includes(`${userId}@example.org`));

describe('an e-mail', () => {
  it('is sent once to the person’s address, and its notification knows', async () => {
    const person = aUser();
    await service.publish(known(person.id));
    await service.redeliver(paid(person.id));
    const email = await ended(person.id, 'sent');
    expect(email).toMatchObject({
      to: `${person.id}@example.org`,
      template: 'payment_succeeded',
      attempts: 1,
      providerMessageId: `<${String(email['_id'])}@atelier.example>`,
    });
    expect(email).not.toHaveProperty('nextAttemptAt');
    const [mail, ...more] = receivedBy(person.id);
    expect(more).toEqual([]);
    expect(mail).toContain('https://atelier.example/api/v1/billing/payments/');
    expect(mail).toContain('Hello Ada Lovelace,');
    const [fact] = (await service.facts(DeliverySent)).filter(({ data }) => data.userId === person.id);
    expect(fact).toMatchObject({ subject: email['_id'], correlationId: email['correlationId'] });
    expect(JSON.stringify(fact)).not.toContain('example.org');
    const { body } = await service.as(person).get('/api/v1/notifications');
    expect(body.items[0].deliveryStatus).toEqual({ in_app: 'sent', email: 'sent' });
    const { notificationId } = fact!.data;
    const late = { ...DeliveryFailed.example, notificationId, userId: person.id };
    await service.publish(exampleEnvelope(DeliveryFailed, late));
    expect((await service.as(person).get('/api/v1/notifications')).body).toEqual(body);
  });

  it('to more people than are sent to at a time waits in the log, and is sent as well', async () => {
    const [buyer, seller] = [aUser().id, aUser().id];
    await service.publish(known(buyer), known(seller));
    await service.redeliver(
      exampleEnvelope(PurchaseCompleted, { ...PurchaseCompleted.example, buyerId: buyer, sellerId: seller }),
    );
    for (const id of [buyer, seller]) {
      expect(await ended(id, 'sent')).toMatchObject({ attempts: 1 });
      expect(receivedBy(id)).toHaveLength(1);
    }
  });

  it('that is removed while it is sent leaves the others to be noted, and states nothing', async () => {
    const [here, gone] = [aUser().id, aUser().id];
    await service.publish(known(here), known(gone), paid(here), paid(gone));
    await Promise.all([ended(here, 'sent'), ended(gone, 'sent')]);
    const leasedUntil = new Date(Date.now() + 60_000);
    await emails().updateMany(
      { userId: { $in: [here, gone] } },
      {
        $set: { status: 'pending', nextAttemptAt: leasedUntil },
        $unset: { providerMessageId: '', sentAt: '' },
      },
    );
    const rows = await emails()
      .find({ userId: { $in: [here, gone] } })
      .toArray();
    await emails().deleteOne({ userId: gone });
    await sendEmails().execute(rows.map(({ _id, ...row }) => ({ id: _id, ...row }) as unknown as Email));
    await ended(here, 'sent');
    expect(await emails().findOne({ userId: gone })).toBeNull();
    const facts = await service.facts(DeliverySent);
    const count = (id: string) => facts.filter(({ data }) => data.userId === id).length;
    expect([count(here), count(gone)]).toEqual([2, 1]);
  });

  it('waits for an address that comes after the fact', async () => {
    const { id } = aUser();
    await service.publish(paid(id));
    await eventually(async () => {
      expect(await emails().findOne({ userId: id })).toMatchObject({ lastError: 'recipient_unknown' });
    });
    await service.publish(known(id));
    expect(await ended(id, 'sent')).not.toHaveProperty('lastError');
    expect(receivedBy(id)).toHaveLength(1);
  });

  it('goes to the newest address, whatever the order that the changes come in', async () => {
    const { id } = aUser();
    const { registeredAt, ...example } = UserRegistered.example;
    const version = { subject: id, version: 3 };
    await service.publish(
      exampleEnvelope(UserUpdated, { ...example, userId: id, email: `new.${id}@example.org` }, version),
      exampleEnvelope(
        UserRegistered,
        { ...example, userId: id, email: `old.${id}@example.org`, registeredAt },
        { subject: id },
      ),
    );
    expect(await ended(id, 'sent')).toMatchObject({ to: `new.${id}@example.org` });
  });

  it('that the server refuses for good fails at once and is told, without the server’s words', async () => {
    const person = aUser();
    // Known first: an attempt before that would count as well.
    await service.publish(known(person.id, 'refused@example.org'));
    await service.publish(paid(person.id));
    const email = await ended(person.id, 'failed');
    expect(email).toMatchObject({ attempts: 1, lastError: 'smtp_550' });
    expect(JSON.stringify(email)).not.toContain('no such user');
    const facts = (await service.facts(DeliveryFailed)).filter(({ data }) => data.userId === person.id);
    expect(facts.map(({ data }) => data.reason)).toEqual(['smtp_550']);
    await service.settled();
    const { body } = await service.as(person).get('/api/v1/notifications');
    expect(body.items[0].deliveryStatus).toEqual({ in_app: 'sent', email: 'failed' });
  });

  it('is tried again while the server is busy, and fails after a bounded number of attempts', async () => {
    const { id } = aUser();
    const impatient = await startWith({ EMAIL_ATTEMPTS_MAX: '3' });
    try {
      // Known first: an attempt before that would count as well.
      await impatient.publish(known(id, 'busy@example.org'));
      await impatient.publish(paid(id));
      expect(await ended(id, 'failed', impatient)).toMatchObject({ attempts: 3, lastError: 'smtp_451' });
    } finally {
      await impatient.close();
    }
  });

  it('without an address fails, and the notification in the app stands', async () => {
    const person = aUser();
    await service.publish(known(person.id, null), paid(person.id));
    expect(await ended(person.id, 'failed')).toMatchObject({ lastError: 'no_address' });
    expect((await service.as(person).get('/api/v1/notifications')).body.items).toHaveLength(1);
  });

  it('is one sender’s: of ten at once, one sends', async () => {
    const { id } = aUser();
    await service.publish(known(id), paid(id));
    const row = await ended(id, 'sent');
    await emails().updateOne(
      { _id: row['_id'] as never },
      { $set: { status: 'pending', nextAttemptAt: new Date(0) }, $unset: { providerMessageId: '' } },
    );
    const claimDueEmails = service.app.get(ClaimDueEmails, { strict: false });
    const sender = async () => sendEmails().execute(await claimDueEmails.execute(5));
    await Promise.all(Array.from({ length: 10 }, sender));
    await ended(id, 'sent');
    expect(receivedBy(id)).toHaveLength(2);
  });

  it('whose sender died is sent by the next when the lease is over, under the same Message-ID', async () => {
    const { id } = aUser();
    await service.publish(known(id), paid(id));
    const row = await ended(id, 'sent');
    // As a sender leaves it that dies between the server's answer and its own note.
    await emails().updateOne(
      { _id: row['_id'] as never },
      {
        $set: { status: 'pending', nextAttemptAt: new Date(Date.now() + 300) },
        $unset: { providerMessageId: '', sentAt: '' },
      },
    );
    expect(await ended(id, 'sent')).toMatchObject({ attempts: Number(row['attempts']) + 1 });
    const ids = receivedBy(id).map((mail) => /^Message-ID: (.+)$/m.exec(mail)?.[1]);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });
});

it('e-mails are kept for a year at most', async () => {
  expect(await emails().indexes()).toContainEqual(
    expect.objectContaining({ key: { createdAt: 1 }, expireAfterSeconds: 365 * 86_400 }),
  );
});

describe('the environment', () => {
  const needed = {
    PORT: '0',
    ACTOR_SECRET: 'x'.repeat(32),
    MONGODB_URI: 'mongodb://127.0.0.1',
    KAFKA_BROKERS: 'k:1',
  };
  it.each([
    [
      'no mail server in production',
      { NODE_ENV: 'production' },
      /SMTP_URL is missing: must be set in production/,
    ],
    [
      'a lease that ends before a hand-over may',
      { EMAIL_LEASE_MS: '10000', SMTP_DELIVERY_TIMEOUT_MS: '9000' },
      /EMAIL_LEASE_MS is invalid: must be at least 2 times SMTP_DELIVERY_TIMEOUT_MS/,
    ],
  ])('with %s is refused by name', (_, variables, problem) => {
    expect(() => notificationsConfig.load({ ...needed, ...variables })).toThrow(problem);
    expect(notificationsConfig.load(needed).EMAIL_LEASE_MS).toBe(120_000);
  });
});

it('the view of recipients is the same after it is rebuilt', async () => {
  const view = service.database.connection.collection('view_recipients');
  const before = await view.find({}).sort({ _id: 1 }).toArray();
  const answer = await service
    .as(aService('operations'))
    .post('/internal/projections/notifications.view-recipients/replay');
  expect(answer.status).toBe(200);
  expect(await view.find({}).sort({ _id: 1 }).toArray()).toEqual(before);
  expect(before.length).toBeGreaterThan(0);
});
