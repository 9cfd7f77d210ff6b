import { z } from 'zod';
import { idSchema } from '@atelier/kernel';

/** R120 */
export const NOTIFICATION_TYPES = ['info', 'success', 'warning', 'error', 'marketing'] as const;
/** R121 */
export const NOTIFICATION_PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const;
/** The topics of a person's preferences. */
export const NOTIFICATION_CATEGORIES = ['marketing', 'product', 'security', 'billing'] as const;
export const NOTIFICATION_CHANNELS = ['in_app', 'email', 'sms', 'webhook'] as const;
export const DELIVERY_STATUSES = ['pending', 'sent', 'failed'] as const;

export type NotificationType = (typeof NOTIFICATION_TYPES)[number];
export type NotificationPriority = (typeof NOTIFICATION_PRIORITIES)[number];
export type NotificationCategory = (typeof NOTIFICATION_CATEGORIES)[number];
export type NotificationChannel = (typeof NOTIFICATION_CHANNELS)[number];
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** Counting stops here: an answer of this many means "this many or more". */
export const UNREAD_COUNT_MAX = 1_000;

/** The filter of `GET /api/v1/notifications`, beside `limit` and `cursor`. */
export const notificationFilters = { unread: z.enum(['true', 'false']).optional() };

export const notificationView = z.object({
  id: idSchema('ntf'),
  type: z.enum(NOTIFICATION_TYPES),
  category: z.enum(NOTIFICATION_CATEGORIES),
  priority: z.enum(NOTIFICATION_PRIORITIES),
  title: z.string(),
  message: z.string(),
  actionText: z.string().optional(),
  /** The path of what it is about, under the gateway; a client leads to its own page of it. */
  actionUrl: z.string().optional(),
  read: z.boolean(),
  readAt: z.iso.datetime().nullable(),
  dismissed: z.boolean(),
  dismissedAt: z.iso.datetime().nullable(),
  deliveryChannels: z.array(z.enum(NOTIFICATION_CHANNELS)),
  /** One entry per delivery channel (R123). */
  deliveryStatus: z.partialRecord(z.enum(NOTIFICATION_CHANNELS), z.enum(DELIVERY_STATUSES)),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});
export type NotificationView = z.infer<typeof notificationView>;

/** `GET /api/v1/notifications/unread-count` */
export const unreadCountView = z.object({ count: z.int().min(0).max(UNREAD_COUNT_MAX) });
export type UnreadCountView = z.infer<typeof unreadCountView>;

/** `POST /api/v1/notifications/read-all`: how many became read. */
export const readAllView = z.object({ count: z.int().min(0) });
export type ReadAllView = z.infer<typeof readAllView>;
