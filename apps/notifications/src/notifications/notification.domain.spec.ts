import { newId } from '@atelier/kernel';
import { IN_APP_AND_EMAIL, type News } from '../templates/news.domain.js';
import { createNotification, dismiss, markRead } from './notification.domain.js';

const now = new Date('2026-11-21T08:00:00.000Z');
const later = new Date('2026-11-21T09:00:00.000Z');
const news: News = {
  recipientId: newId('usr'),
  template: 'payment_failed',
  type: 'error',
  category: 'billing',
  priority: 'normal',
  title: 'Payment failed',
  message: 'Nothing was charged.',
  channels: IN_APP_AND_EMAIL,
};
const made = (overrides: Partial<News> = {}) =>
  createNotification(newId('ntf'), { ...news, ...overrides }, newId('evt'), now).state;

it('is delivered in the app by being there, and waits for the other channels (R123)', () => {
  expect(made().deliveryStatus).toEqual({ in_app: 'sent', email: 'pending' });
});

it.each([
  ['low', '2026-12-21T08:00:00.000Z'],
  ['normal', '2027-02-19T08:00:00.000Z'],
  ['high', '2027-05-20T08:00:00.000Z'],
  ['urgent', '2027-11-21T08:00:00.000Z'],
] as const)('of %s priority is kept until %s (R121, R124)', (priority, expiresAt) => {
  expect(made({ priority }).expiresAt.toISOString()).toBe(expiresAt);
});

it('is read once and dismissed once, each without the other (R122)', () => {
  const read = markRead(made(), now)!.state;
  expect([read.readAt, read.dismissedAt]).toEqual([now, undefined]);
  expect(markRead(read, later)).toBeUndefined();
  const dismissed = dismiss(made(), now)!.state;
  expect([dismissed.readAt, dismissed.dismissedAt]).toEqual([undefined, now]);
  expect(dismiss(dismissed, later)).toBeUndefined();
  expect(dismiss(read, later)!.state).toMatchObject({ readAt: now, dismissedAt: later });
});

it('shortens what people wrote endlessly', () => {
  const { title, message } = made({ title: 'x'.repeat(5_000), message: 'y'.repeat(5_000) });
  expect([title.length, title.at(-1), message.length]).toEqual([300, '…', 2_000]);
});
