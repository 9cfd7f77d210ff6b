import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError } from '@atelier/kernel';

export const SANDBOX_SIGNATURE_HEADER = 'sandbox-signature';
export const SIGNATURE_TOLERANCE_SECONDS = 300;

const HEADER = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/;

/** `t=<unix seconds>,v1=<HMAC-SHA256 of "<t>.<body>">`: the body and its time stamp are signed together. */
export function signSandboxWebhook(secret: string, rawBody: string | Buffer, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1_000);
  return `t=${seconds},v1=${digest(secret, seconds, rawBody).toString('hex')}`;
}

/** Throws invalid `commerce.webhook.signature` or `commerce.webhook.timestamp`. */
export function verifySandboxWebhook(secret: string, rawBody: Buffer, header: unknown, now: Date): void {
  const match = typeof header === 'string' ? HEADER.exec(header) : null;
  const seconds = Number(match?.[1]);
  if (!match || !timingSafeEqual(Buffer.from(match[2]!, 'hex'), digest(secret, seconds, rawBody)))
    throw refuse('signature', 'The webhook is not signed with our shared secret.');
  if (Math.abs(now.getTime() / 1_000 - seconds) > SIGNATURE_TOLERANCE_SECONDS)
    throw refuse(
      'timestamp',
      'The webhook was signed too long ago, or a clock is wrong. Sign and send it again.',
    );
}

const digest = (secret: string, seconds: number, rawBody: string | Buffer): Buffer =>
  createHmac('sha256', secret).update(`${seconds}.`).update(rawBody).digest();

const refuse = (reason: 'signature' | 'timestamp', detail: string) =>
  new DomainError({ kind: 'invalid', code: `commerce.webhook.${reason}`, detail });
