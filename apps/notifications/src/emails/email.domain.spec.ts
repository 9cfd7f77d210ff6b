import { DeliveryFailed, DeliverySent } from '@atelier/contracts/notifications/delivery.events';
import { newId } from '@atelier/kernel';
import { createNotification } from '../notifications/notification.domain.js';
import type { Recipient } from '../recipients/recipient.domain.js';
import { IN_APP_AND_EMAIL, type News } from '../templates/news.domain.js';
import {
  addressOf,
  claimEmail,
  EMAIL_TRANSITIONS,
  emailNotSent,
  emailSent,
  emailText,
  isDue,
  queueEmail,
  type Email,
} from './email.domain.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const after = (ms: number) => new Date(now.getTime() + ms);
const limits = { leaseMs: 60_000, attemptsMax: 4, backoffBaseMs: 1_000, backoffMaxMs: 3_000 };
const refused = { code: 'smtp_550', permanent: true };
const away = { code: 'smtp_econnection', permanent: false };

const news: News = {
  recipientId: newId('usr'),
  template: 'listing_rejected',
  type: 'warning',
  category: 'product',
  priority: 'high',
  title: 'Not approved\r\nBcc: everybody@example.org',
  message: 'Change it.',
  actionText: 'Change the listing',
  actionUrl: '/api/v1/marketplace/listings/lst_1',
  channels: IN_APP_AND_EMAIL,
};
const queued = (): Email =>
  queueEmail(
    newId('eml'),
    createNotification(newId('ntf'), news, newId('evt'), now).state,
    { correlationId: 'req_1' },
    now,
  ).state;
const recipient: Recipient = {
  userId: newId('usr'),
  email: 'ada@example.org',
  displayName: 'Ada',
  accountStatus: 'active',
};

it('waits for a sender from the start, by its template and the data of it (R490, R492, R493)', () => {
  const email = queued();
  expect(email).toMatchObject({
    status: 'pending',
    template: 'listing_rejected',
    metadata: { message: 'Change it.' },
  });
  expect(isDue(email, now)).toBe(true);
});

it('is one sender’s until the lease ends', () => {
  const claimed = claimEmail(queued(), limits, now).state;
  expect([isDue(claimed, after(59_999)), isDue(claimed, after(60_000))]).toEqual([false, true]);
});

it('states once that it was sent, without its address or text', () => {
  const email = claimEmail(queued(), limits, now).state;
  const { state, events } = emailSent(email, 'ada@example.org', '<eml@atelier>', after(5));
  expect(state).toMatchObject({ status: 'sent', to: 'ada@example.org', sentAt: after(5) });
  expect(isDue(state, after(1e9))).toBe(false);
  expect(events.map(({ definition }) => definition.type)).toEqual([DeliverySent.type]);
  expect(JSON.stringify(events[0]!.data)).not.toMatch(/ada@|Change it/);
});

it('pauses longer after each failure, up to a limit, and then fails for good', () => {
  let email = queued();
  let at = now;
  const pauses: number[] = [];
  for (;;) {
    const change = emailNotSent(claimEmail(email, limits, at).state, away, limits, at);
    email = change.state;
    if (email.status === 'failed') {
      expect(change.events.map(({ definition }) => definition.type)).toEqual([DeliveryFailed.type]);
      break;
    }
    expect(change.events).toEqual([]);
    pauses.push(email.nextAttemptAt!.getTime() - at.getTime());
    at = email.nextAttemptAt!;
  }
  expect(pauses).toEqual([1_000, 2_000, 3_000]);
  expect(email).toMatchObject({ attempts: 4, lastError: 'smtp_econnection' });
});

it('is given up at once when the mail server refuses it for good', () => {
  const { state, events } = emailNotSent(claimEmail(queued(), limits, now).state, refused, limits, now);
  expect([state.status, events[0]!.data.reason]).toEqual(['failed', 'smtp_550']);
});

it('cannot be sent after it was given up, nor given up after it was sent (SM41)', () => {
  const sent = emailSent(queued(), 'ada@example.org', '<1@atelier>', now).state;
  const failed = emailNotSent(queued(), refused, limits, now).state;
  expect(() => emailSent(failed, 'ada@example.org', '<1@atelier>', now)).toThrow('failed cannot become sent');
  expect(() => emailSent(sent, 'ada@example.org', '<1@atelier>', now)).toThrow('sent cannot become sent');
  expect(EMAIL_TRANSITIONS.pending).toEqual(['sent', 'failed']);
});

it('waits for a recipient who is not known yet, and for nobody else', () => {
  expect(addressOf(undefined)).toEqual({ code: 'recipient_unknown', permanent: false });
  expect(addressOf(recipient)).toBe('ada@example.org');
  expect(addressOf({ ...recipient, email: null })).toMatchObject({ permanent: true });
  expect(addressOf({ ...recipient, accountStatus: 'deleted' })).toMatchObject({ permanent: true });
});

it('keeps what people wrote out of the headers, and leads to the gateway', () => {
  const email = queued();
  expect(email.subject).toBe('Not approved Bcc: everybody@example.org');
  const text = emailText(email, 'Ada\nLovelace', 'https://atelier.example');
  expect(text).toContain('Hello Ada Lovelace,\n');
  expect(text).toContain('https://atelier.example/api/v1/marketplace/listings/lst_1');
});
