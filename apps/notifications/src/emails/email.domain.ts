import { DeliveryFailed, DeliverySent } from '@atelier/contracts/notifications/delivery.events';
import type { Change, Context, Id } from '@atelier/kernel';
import type { Notification } from '../notifications/notification.domain.js';
import type { Recipient } from '../recipients/recipient.domain.js';

export const EMAIL_STATUSES = [
  'pending',
  'sent',
  'delivered',
  'opened',
  'clicked',
  'bounced',
  'failed',
] as const;
export type EmailStatus = (typeof EMAIL_STATUSES)[number];

/**
 * SM41 and R490, with `pending` as the start: a row is there before its e-mail is sent. Everything beyond `sent`
 * is told by a provider that tracks (R491).
 */
export const EMAIL_TRANSITIONS: Readonly<Record<EmailStatus, readonly EmailStatus[]>> = {
  pending: ['sent', 'failed'],
  sent: ['delivered', 'bounced', 'failed'],
  delivered: ['opened'],
  opened: ['clicked'],
  clicked: [],
  bounced: [],
  failed: [],
};

/** The dynamic part of an e-mail; its template makes the text of it (R492, R493). */
export interface EmailContent {
  readonly title: string;
  readonly message: string;
  readonly actionText?: string;
  readonly actionUrl?: string;
}

/**
 * One e-mail for one notification.
 *
 * Invariants
 * - there is one per notification: its id is derived from the notification's, and its Message-ID from its own;
 * - it is handed over at least once; a repeat carries the same Message-ID, so that a mailbox can tell;
 * - a claim, which may come with the queueing, moves `nextAttemptAt` on: one sender has it until the lease ends;
 * - it ends sent or failed after a bounded number of attempts, and states that once.
 */
export interface Email {
  readonly id: Id<'eml'>;
  readonly version: number;
  readonly userId: string;
  readonly notificationId: Id<'ntf'>;
  /** The address that it went to; known once a sender has looked it up. */
  readonly to?: string;
  readonly subject: string;
  readonly template: string;
  readonly status: EmailStatus;
  /** What the mail server knows it by (R489). */
  readonly providerMessageId?: string;
  readonly metadata: EmailContent;
  readonly attempts: number;
  /** While pending: nobody tries before; also the end of a sender's lease. */
  readonly nextAttemptAt?: Date;
  /** A code, never a server's words: those repeat the address. */
  readonly lastError?: string;
  readonly sentAt?: Date;
  readonly openedAt?: Date;
  readonly clickedAt?: Date;
  readonly bouncedAt?: Date;
  readonly correlationId: string;
  readonly sourceEventId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface EmailLimits {
  readonly leaseMs: number;
  readonly attemptsMax: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

export const emailLimits = (config: {
  readonly EMAIL_LEASE_MS: number;
  readonly EMAIL_ATTEMPTS_MAX: number;
  readonly EMAIL_BACKOFF_BASE_MS: number;
  readonly EMAIL_BACKOFF_MAX_MS: number;
}): EmailLimits => ({
  leaseMs: config.EMAIL_LEASE_MS,
  attemptsMax: config.EMAIL_ATTEMPTS_MAX,
  backoffBaseMs: config.EMAIL_BACKOFF_BASE_MS,
  backoffMaxMs: config.EMAIL_BACKOFF_MAX_MS,
});

/** Who sends it and why: the service, because of the fact that the e-mail is about. */
export const contextOf = ({ correlationId, sourceEventId }: Email): Context => ({
  actor: { kind: 'service', id: 'notifications' },
  correlationId,
  causationId: sourceEventId,
});

export function queueEmail(
  id: Id<'eml'>,
  notification: Notification,
  { correlationId }: Pick<Context, 'correlationId'>,
  now: Date,
): Change<Email> {
  const { title, message, actionText, actionUrl } = notification;
  const state: Email = {
    id,
    version: 0,
    userId: notification.userId,
    notificationId: notification.id,
    subject: oneLine(title),
    template: notification.template,
    status: 'pending',
    metadata: {
      title,
      message,
      ...(actionText === undefined ? {} : { actionText }),
      ...(actionUrl === undefined ? {} : { actionUrl }),
    },
    attempts: 0,
    nextAttemptAt: now,
    correlationId,
    sourceEventId: notification.sourceEventId,
    createdAt: now,
    updatedAt: now,
  };
  return { state, events: [] };
}

export const isDue = ({ status, nextAttemptAt }: Email, now: Date): boolean =>
  status === 'pending' && nextAttemptAt !== undefined && nextAttemptAt <= now;

/** Takes the e-mail for one attempt. Of several senders, the one whose save comes first has it. */
export function claimEmail(email: Email, { leaseMs }: EmailLimits, now: Date): Change<Email> {
  const nextAttemptAt = new Date(now.getTime() + leaseMs);
  return { state: { ...email, attempts: email.attempts + 1, nextAttemptAt, updatedAt: now }, events: [] };
}

/** Why an attempt came to nothing; a permanent failure is not tried again. */
export interface EmailFailure {
  readonly code: string;
  readonly permanent: boolean;
}

export function emailSent(email: Email, to: string, providerMessageId: string, now: Date): Change<Email> {
  const { nextAttemptAt: _, lastError: __, ...rest } = moved(email, 'sent', now);
  return {
    state: { ...rest, to, providerMessageId, sentAt: now },
    events: [DeliverySent(email.id, { ...factOf(email), sentAt: now.toISOString() })],
  };
}

/** Another attempt after a growing pause, or the end of it. */
export function emailNotSent(
  email: Email,
  { code, permanent }: EmailFailure,
  limits: EmailLimits,
  now: Date,
): Change<Email> {
  if (!permanent && email.attempts < limits.attemptsMax) {
    const pauseMs = Math.min(limits.backoffMaxMs, limits.backoffBaseMs * 2 ** (email.attempts - 1));
    const nextAttemptAt = new Date(now.getTime() + pauseMs);
    return { state: { ...email, lastError: code, nextAttemptAt, updatedAt: now }, events: [] };
  }
  const { nextAttemptAt: _, ...rest } = moved(email, 'failed', now);
  return {
    state: { ...rest, lastError: code },
    events: [DeliveryFailed(email.id, { ...factOf(email), reason: code, failedAt: now.toISOString() })],
  };
}

/** The address to send to, or why there is none yet or ever. */
export function addressOf(recipient: Recipient | undefined): string | EmailFailure {
  if (!recipient) return { code: 'recipient_unknown', permanent: false };
  if (recipient.accountStatus === 'deleted') return { code: 'account_deleted', permanent: true };
  return recipient.email ?? { code: 'no_address', permanent: true };
}

/** The text of an e-mail. */
export function emailText(email: Email, displayName: string, publicUrl: string): string {
  const { message, actionText, actionUrl } = email.metadata;
  const link =
    actionUrl === undefined ? [] : [`${actionText ?? 'More'}: ${new URL(actionUrl, publicUrl).href}`];
  return [`Hello ${oneLine(displayName)},`, message, ...link, 'Atelier'].join('\n\n') + '\n';
}

function moved(email: Email, status: EmailStatus, now: Date): Email {
  if (!EMAIL_TRANSITIONS[email.status].includes(status))
    throw new Error(`an e-mail that is ${email.status} cannot become ${status}`);
  return { ...email, status, updatedAt: now };
}

const factOf = ({ id, notificationId, userId, template }: Email) => ({
  emailId: id,
  notificationId,
  userId: userId as Id<'usr'>,
  channel: 'email' as const,
  template,
});

/** What people wrote must not become a header of its own. */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ').trim();
