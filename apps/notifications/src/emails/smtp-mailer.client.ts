import { createTransport } from 'nodemailer';
import { Mailer, MailNotSent, messageOf, type OutgoingMail } from './mailer.client.js';

export interface SmtpMailerOptions {
  readonly url: string;
  readonly from: string;
  /** Of connecting, of the greeting, and of every silence after it. */
  readonly timeoutMs: number;
  /** Of a hand-over as a whole: a server that drips is never silent. */
  readonly deliveryTimeoutMs: number;
  readonly connectionsMax: number;
}

/** Hands mail to an SMTP server (RFC 5321), over a few connections that are kept. */
export class SmtpMailer extends Mailer {
  private readonly transport;

  constructor(private readonly options: SmtpMailerOptions) {
    super();
    const { url, timeoutMs, connectionsMax } = options;
    this.transport = createTransport({
      url,
      pool: true,
      // Attempts are counted and spaced by us, under a lease.
      maxRequeues: 0,
      maxConnections: connectionsMax,
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      dnsTimeout: timeoutMs,
    });
  }

  async send(mail: OutgoingMail): Promise<{ readonly messageId: string }> {
    try {
      const { from, deliveryTimeoutMs } = this.options;
      const signal = AbortSignal.timeout(deliveryTimeoutMs);
      const { messageId } = await this.transport.sendMail({ ...messageOf(mail, from), signal });
      return { messageId };
    } catch (error) {
      throw notSent(error);
    }
  }

  async close(): Promise<void> {
    this.transport.close();
  }
}

/** A 5xx about this mail is final. One to our log-in or our sender's address is about us, and may be mended. */
function notSent(error: unknown): MailNotSent {
  const { responseCode, code, command } = error as { responseCode?: number; code?: string; command?: string };
  if (responseCode === undefined) return new MailNotSent(`smtp_${(code ?? 'unknown').toLowerCase()}`, false);
  const aboutThisMail = command === 'RCPT TO' || command === 'DATA' || code === 'EMESSAGE';
  return new MailNotSent(`smtp_${responseCode}`, responseCode >= 500 && aboutThisMail);
}
