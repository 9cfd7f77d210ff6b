import { z } from 'zod';
import { defineEvent, idSchema } from '@atelier/kernel';

/** Nothing of the address or the text is in these facts. */
const delivery = z.object({
  emailId: idSchema('eml'),
  notificationId: idSchema('ntf'),
  userId: idSchema('usr'),
  channel: z.literal('email'),
  template: z.string(),
});
const example = {
  emailId: 'eml_01m7y1j20qe008c1f3vesc43m3',
  notificationId: 'ntf_01m7y1j20qe008c1f3vesc43m3',
  userId: 'usr_01m7y1j20qe008c1f3vesc43m3',
  channel: 'email',
  template: 'purchase_completed_buyer',
} as const;

export const DeliverySent = defineEvent({
  type: 'notifications.delivery.sent.v1',
  summary: 'A mail server has taken an e-mail for somebody.',
  subjectField: 'emailId',
  data: delivery.extend({ sentAt: z.iso.datetime() }),
  example: { ...example, sentAt: '2026-11-21T08:00:01.000Z' },
});

export const DeliveryFailed = defineEvent({
  type: 'notifications.delivery.failed.v1',
  summary: 'An e-mail was given up: it was refused, or could not be handed over in time.',
  subjectField: 'emailId',
  data: delivery.extend({ reason: z.string(), failedAt: z.iso.datetime() }),
  example: { ...example, reason: 'smtp_550', failedAt: '2026-11-21T08:00:01.000Z' },
});
