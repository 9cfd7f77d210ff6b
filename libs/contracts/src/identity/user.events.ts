import { z } from 'zod';
import { defineEvent, idSchema, PLATFORM_ROLES } from '@atelier/kernel';

export const ACCOUNT_STATUSES = ['pending', 'active', 'suspended', 'deleted'] as const;

const user = z.object({
  userId: idSchema('usr'),
  email: z.string().nullable(),
  displayName: z.string(),
  role: z.enum(PLATFORM_ROLES),
  accountStatus: z.enum(ACCOUNT_STATUSES),
});
const example = {
  userId: 'usr_01m7y1j20qe008c1f3vesc43m3',
  email: 'ada@example.org',
  displayName: 'Ada',
  role: 'user',
  accountStatus: 'active',
} as const;

export const UserRegistered = defineEvent({
  type: 'identity.user.registered.v1',
  summary: 'A person has an account.',
  data: user.extend({
    registeredAt: z.iso.datetime(),
    /** The referral code that the person came with, and a hash of their address for the fraud check (R486). */
    referralCode: z.string().optional(),
    ipAddressHash: z.string().optional(),
    /** The code that the person gives to others. */
    ownReferralCode: z.string().optional(),
  }),
  example: { ...example, registeredAt: '2026-11-21T08:00:00.000Z' },
});

export const UserUpdated = defineEvent({
  type: 'identity.user.updated.v1',
  summary: 'Something that others show or decide by has changed about a person.',
  data: user,
  example: { ...example, displayName: 'Ada Lovelace' },
});

export const UserDeleted = defineEvent({
  type: 'identity.user.deleted.v1',
  summary:
    'An account was deleted for good; the id stays as a tombstone. Whoever keeps data of the person removes it.',
  data: z.object({
    userId: idSchema('usr'),
    deletedAt: z.iso.datetime(),
    /** The person, or the admin who did it. */
    deletedBy: idSchema('usr'),
  }),
  example: {
    userId: 'usr_01m7y1j20qe008c1f3vesc43m3',
    deletedAt: '2026-11-21T10:00:00.000Z',
    deletedBy: 'usr_01m7y1j20qe008c1f3vesc43m3',
  },
});
