import { z } from 'zod';
import { creditsSchema, defineEvent, idSchema } from '@atelier/kernel';

export const ReferralCompleted = defineEvent({
  type: 'ledger.referral.completed.v1',
  summary: 'A person who was brought by another has paid for the first time; the other got the bonus.',
  data: z.object({
    referralId: idSchema('ref'),
    referrerId: idSchema('usr'),
    refereeId: idSchema('usr'),
    creditsGranted: creditsSchema,
    completedAt: z.iso.datetime(),
  }),
  example: {
    referralId: 'ref_01m7y1j20qe008c1f3vesc43m3',
    referrerId: 'usr_01m7y1j20qe008c1f3vesc43m3',
    refereeId: 'usr_01m7y1j20qe008c1f3vesc43m4',
    creditsGranted: 100,
    completedAt: '2026-11-21T08:00:00.000Z',
  },
});
