import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@atelier/kernel';
import { startDrippingServer, startMailServer, type MailServer } from './mail-server.fixture.js';
import { MailboxMailer } from './mailbox-mailer.client.js';
import { MailNotSent, type Mailer, type OutgoingMail } from './mailer.client.js';
import { SmtpMailer } from './smtp-mailer.client.js';

const FROM = 'no-reply@atelier.example';
const aMail = (overrides: Partial<OutgoingMail> = {}): OutgoingMail => ({
  id: newId('eml'),
  to: { name: 'Ada Lovelace', address: 'ada@example.org' },
  subject: 'You sold “Product photo”',
  text: 'Hello Ada,\n\nYou earned 80 credits.\n',
  ...overrides,
});
const failureOf = (sending: Promise<unknown>): Promise<MailNotSent> =>
  sending.then(
    () => {
      throw new Error('it was sent');
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(MailNotSent);
      return error as MailNotSent;
    },
  );

let server: MailServer;
let folder: string;
beforeAll(async () => {
  server = await startMailServer();
  folder = await mkdtemp(join(tmpdir(), 'mailbox-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const smtp = (url = server.url, deliveryTimeoutMs = 60_000) =>
  new SmtpMailer({ url, from: FROM, timeoutMs: 30_000, deliveryTimeoutMs, connectionsMax: 2 });

const implementations: readonly [string, () => Mailer, () => Promise<readonly string[]>][] = [
  ['an SMTP server', smtp, async () => server.mails],
  [
    'a mailbox folder',
    () => new MailboxMailer(folder, FROM),
    async () => Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8'))),
  ],
];

describe.each(implementations)('mail to %s', (_, make, received) => {
  let mailer: Mailer;
  beforeEach(() => {
    mailer = make();
  });
  afterEach(() => mailer.close());

  const found = async (id: string): Promise<string> => {
    const mails = (await received()).filter((text) => text.includes(`Message-ID: <${id}@atelier.example>`));
    expect(mails.length).toBeGreaterThan(0);
    return mails.at(-1)!;
  };

  it('arrives with sender, recipient, subject, text and the Message-ID of its id', async () => {
    const mail = aMail();
    const { messageId } = await mailer.send(mail);
    expect(messageId).toBe(`<${mail.id}@atelier.example>`);
    const text = await found(mail.id);
    expect(text).toContain('From: Atelier <no-reply@atelier.example>');
    expect(text).toContain('To: Ada Lovelace <ada@example.org>');
    expect(text).toContain('Subject: =?UTF-8?');
    expect(text).toContain('Auto-Submitted: auto-generated');
    expect(text).toContain('You earned 80 credits.');
  });

  it('has the same Message-ID when it is sent again', async () => {
    const mail = aMail();
    const [first, second] = [await mailer.send(mail), await mailer.send(mail)];
    expect(second).toEqual(first);
  });

  it('gets no header from what a person wrote', async () => {
    const mail = aMail({
      subject: 'Hi\r\nBcc: eve@example.org',
      to: { name: 'Ada\r\nBcc: eve@example.org', address: 'ada@example.org' },
    });
    await mailer.send(mail);
    expect(await found(mail.id)).not.toMatch(/^Bcc:/im);
  });

  it('reads no file, whatever the text says', async () => {
    const mail = aMail({ text: 'path: /etc/hostname' });
    await mailer.send(mail);
    expect(await found(mail.id)).toContain('path: /etc/hostname');
  });
});

describe('a mail server', () => {
  const to = (address: string) => aMail({ to: { name: 'X', address } });

  it.each([
    ['refused@example.org', 'smtp_550', true],
    ['busy@example.org', 'smtp_451', false],
  ])('that answers for %s makes a failure %s without the address in it', async (address, code, permanent) => {
    const mailer = smtp();
    const failure = await failureOf(mailer.send(to(address)));
    expect(failure).toMatchObject({ code, permanent });
    expect(`${failure.message} ${JSON.stringify(failure)}`).not.toContain('example.org');
    await mailer.close();
  });

  it('that hangs up, or is not there, is asked once per attempt and may be tried again', async () => {
    const mailer = smtp();
    // On a connection that was used before, the library would by itself try again on another.
    await mailer.send(aMail());
    expect(await failureOf(mailer.send(to('drop@example.org')))).toMatchObject({ permanent: false });
    expect(server.recipients.filter((address) => address === 'drop@example.org')).toHaveLength(1);
    await mailer.close();
    const nobody = smtp('smtp://127.0.0.1:1');
    expect(await failureOf(nobody.send(aMail()))).toMatchObject({ permanent: false });
    await nobody.close();
  });
});

describe('a mail server that is never silent and never done', () => {
  it('has a limited time as a whole, also for mails that wait for a connection', async () => {
    const dripping = await startDrippingServer();
    const mailer = smtp(dripping.url, 500);
    const mails = Array.from({ length: 5 }, () => failureOf(mailer.send(aMail())));
    for (const failure of await Promise.all(mails))
      expect(failure).toMatchObject({ code: 'smtp_eabort', permanent: false });
    await mailer.close();
    await dripping.close();
  });
});

describe('the mailbox folder', () => {
  it('keeps one file per e-mail, however often it is sent', async () => {
    const mailer = new MailboxMailer(folder, FROM);
    const mail = aMail();
    await mailer.send(mail);
    await mailer.send(mail);
    expect((await readdir(folder)).filter((name) => name.includes(mail.id))).toEqual([`${mail.id}.eml`]);
  });

  it('that cannot be written may be tried again', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const failure = await failureOf(new MailboxMailer(file, FROM).send(aMail()));
    expect(failure).toMatchObject({ permanent: false, code: expect.stringMatching(/^mailbox_e/) });
    await rm(file);
  });
});
