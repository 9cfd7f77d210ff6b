import { z } from 'zod';
import { defineEvent, idSchema } from '@atelier/kernel';

export const SESSION_END_REASONS = ['logged_out', 'reuse_detected', 'account_closed', 'too_many'] as const;

export const SessionEnded = defineEvent({
  type: 'identity.session.ended.v1',
  summary: 'A log-in session has ended before its time; its tokens count no more.',
  data: z.object({
    sessionId: idSchema('ses'),
    userId: idSchema('usr'),
    reason: z.enum(SESSION_END_REASONS),
    endedAt: z.iso.datetime(),
  }),
  example: {
    sessionId: 'ses_01m7y1j20qe008c1f3vesc43m3',
    userId: 'usr_01m7y1j20qe008c1f3vesc43m3',
    reason: 'reuse_detected',
    endedAt: '2026-11-21T09:00:00.000Z',
  },
});
