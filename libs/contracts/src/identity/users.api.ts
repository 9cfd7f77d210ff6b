import { z } from 'zod';
import { idSchema, PLATFORM_ROLES } from '@atelier/kernel';
import { ACCOUNT_STATUSES } from './user.events.js';

export const displayNameSchema = z
  .string()
  .trim()
  .min(1, { error: 'is required' })
  .max(80, { error: 'must have at most 80 characters' })
  .regex(/^\P{Cc}*$/u, { error: 'must not have control characters' });

export const THEMES = ['system', 'light', 'dark'] as const;

/** Per channel, which topics a person wants to hear of. */
const topics = z.strictObject({
  marketing: z.boolean(),
  product: z.boolean(),
  security: z.boolean(),
  billing: z.boolean(),
});

const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/;

const language = z.string().regex(LANGUAGE, { error: 'expected a language tag, like "en" or "pt-BR"' });
const timezone = z
  .string()
  .max(64)
  .refine(isTimezone, { error: 'expected an IANA time zone, like "Europe/Berlin"' });

export const preferencesView = z.strictObject({
  theme: z.enum(THEMES),
  language,
  timezone,
  notifications: z.strictObject({ inApp: topics, email: topics, sms: topics, webhook: topics }),
  privacy: z.strictObject({ discoverable: z.boolean(), showProfile: z.boolean() }),
});
export type Preferences = z.infer<typeof preferencesView>;

const channels = preferencesView.shape.notifications.shape;
const preferencesChange = z.strictObject({
  theme: z.enum(THEMES).optional(),
  language: language.optional(),
  timezone: timezone.optional(),
  notifications: z
    .strictObject({
      inApp: channels.inApp.partial().optional(),
      email: channels.email.partial().optional(),
      sms: channels.sms.partial().optional(),
      webhook: channels.webhook.partial().optional(),
    })
    .optional(),
  privacy: preferencesView.shape.privacy.partial().optional(),
});
export type PreferencesChange = z.infer<typeof preferencesChange>;

/** `PATCH /api/v1/users/me` with `If-Match`: what is left out stays. */
export const updateProfileRequest = z.strictObject({
  displayName: displayNameSchema.optional(),
  preferences: preferencesChange.optional(),
});
export type UpdateProfileRequest = z.infer<typeof updateProfileRequest>;

/** A user as they see themselves. */
export const userView = z.object({
  id: idSchema('usr'),
  email: z.string().nullable(),
  /** When the address was confirmed, or null (R143, R212). */
  emailVerifiedAt: z.iso.datetime().nullable(),
  displayName: z.string(),
  role: z.enum(PLATFORM_ROLES),
  accountStatus: z.enum(ACCOUNT_STATUSES),
  preferences: preferencesView,
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type UserView = z.infer<typeof userView>;

function isTimezone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}
