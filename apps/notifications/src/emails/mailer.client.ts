import type Mail from 'nodemailer/lib/mailer/index.js';
import type { EmailFailure } from './email.domain.js';

export interface OutgoingMail {
  /** The e-mail's id; the Message-ID is made of it, so that a repeat is recognised. */
  readonly id: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
}

/** The mail was not taken. Its message is the code: a server's words repeat addresses. */
export class MailNotSent extends Error implements EmailFailure {
  constructor(
    readonly code: string,
    /** Trying again cannot help. */
    readonly permanent: boolean,
  ) {
    super(code);
    this.name = 'MailNotSent';
  }
}

/**
 * Hands mail over. All implementations pass `mailer.contract.spec.ts`: the same headers and text arrive whichever
 * sends, a repeat has the same Message-ID, and what goes wrong is a MailNotSent.
 */
export abstract class Mailer {
  /** Resolves once the mail is in safe hands. Throws MailNotSent. */
  abstract send(mail: OutgoingMail): Promise<{ readonly messageId: string }>;
  abstract close(): Promise<void>;
}

/** The message itself, the same whoever sends it. Nothing in it may make the library read a file or a URL. */
export const messageOf = (mail: OutgoingMail, from: string): Mail.Options => ({
  from: { name: 'Atelier', address: from },
  to: mail.to,
  subject: mail.subject,
  text: mail.text,
  messageId: `<${mail.id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
  headers: { 'Auto-Submitted': 'auto-generated' },
  disableFileAccess: true,
  disableUrlAccess: true,
});
