import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { Mailer, MailNotSent, messageOf, type OutgoingMail } from './mailer.client.js';

const EMAIL_ID = /^eml_[0-9a-z]{26}$/;

/** Leaves each mail as `<email id>.eml` in a folder: a mail server for machines that have none. */
export class MailboxMailer extends Mailer {
  private readonly transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });

  constructor(
    private readonly folder: string,
    private readonly from: string,
  ) {
    super();
  }

  async send(mail: OutgoingMail): Promise<{ readonly messageId: string }> {
    if (!EMAIL_ID.test(mail.id)) throw new Error('the name of a mail would be no file name');
    const { message, messageId } = await this.transport.sendMail(messageOf(mail, this.from));
    try {
      await this.write(`${mail.id}.eml`, message as Buffer);
    } catch (error) {
      throw new MailNotSent(
        `mailbox_${((error as NodeJS.ErrnoException).code ?? 'unknown').toLowerCase()}`,
        false,
      );
    }
    return { messageId };
  }

  async close(): Promise<void> {
    this.transport.close();
  }

  /** Beside it first: a reader never sees half a mail, and a repeat takes the place of the first. */
  private async write(name: string, content: Buffer): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const draft = join(this.folder, `.${name}.${process.pid}`);
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, join(this.folder, name));
  }
}
