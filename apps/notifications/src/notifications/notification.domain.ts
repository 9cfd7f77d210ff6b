import type {
  DeliveryStatus,
  NotificationCategory,
  NotificationChannel,
  NotificationPriority,
  NotificationType,
} from '@atelier/contracts/notifications/notifications.api';
import { DomainError, type Change, type Id } from '@atelier/kernel';
import type { News } from '../templates/news.domain.js';

/**
 * One thing that one person should know.
 *
 * Invariants
 * - there is one per fact and recipient: its id is derived from the two;
 * - read and dismissed are independent of each other, and neither is taken back (R122);
 * - the in-app channel is delivered by being stored; the others are settled once each (R123).
 */
export interface Notification {
  readonly id: Id<'ntf'>;
  readonly version: number;
  readonly userId: string;
  readonly type: NotificationType;
  readonly category: NotificationCategory;
  readonly priority: NotificationPriority;
  readonly title: string;
  readonly message: string;
  readonly actionText?: string;
  readonly actionUrl?: string;
  /** Derived: read = this is set. */
  readonly readAt?: Date;
  /** Derived: dismissed = this is set. */
  readonly dismissedAt?: Date;
  readonly imageUrl?: string;
  readonly iconName?: string;
  readonly iconColor?: string;
  readonly targetedFeatures: readonly string[];
  readonly userSegment?: string;
  readonly deliveryChannels: readonly NotificationChannel[];
  readonly deliveryStatus: Readonly<Partial<Record<NotificationChannel, DeliveryStatus>>>;
  readonly campaignId?: string;
  readonly batchId?: string;
  readonly template: string;
  /** The fact that it is about. */
  readonly sourceEventId: string;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const DAY_MS = 86_400_000;
/** How long a notification is kept, by its priority (R124). */
export const KEPT_DAYS: Readonly<Record<NotificationPriority, number>> = {
  low: 30,
  normal: 90,
  high: 180,
  urgent: 365,
};
const TITLE_CHARS_MAX = 300;
const MESSAGE_CHARS_MAX = 2_000;

export function createNotification(
  id: Id<'ntf'>,
  { recipientId, channels, ...news }: News,
  sourceEventId: string,
  now: Date,
): Change<Notification> {
  const state: Notification = {
    ...news,
    id,
    version: 0,
    userId: recipientId,
    title: shortened(news.title, TITLE_CHARS_MAX),
    message: shortened(news.message, MESSAGE_CHARS_MAX),
    targetedFeatures: [],
    deliveryChannels: channels,
    deliveryStatus: Object.fromEntries(
      channels.map((channel) => [channel, channel === 'in_app' ? 'sent' : 'pending']),
    ),
    sourceEventId,
    expiresAt: new Date(now.getTime() + KEPT_DAYS[news.priority] * DAY_MS),
    createdAt: now,
    updatedAt: now,
  };
  return { state, events: [] };
}

/** Undefined when it is read already: there is nothing to save. */
export const markRead = (notification: Notification, now: Date): Change<Notification> | undefined =>
  notification.readAt ? undefined : { state: { ...notification, readAt: now, updatedAt: now }, events: [] };

/** Undefined when it is dismissed already. */
export const dismiss = (notification: Notification, now: Date): Change<Notification> | undefined =>
  notification.dismissedAt
    ? undefined
    : { state: { ...notification, dismissedAt: now, updatedAt: now }, events: [] };

const shortened = (text: string, charsMax: number): string =>
  text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`;

export const notificationNotFound = (id: string): DomainError =>
  new DomainError({
    kind: 'not_found',
    code: 'notifications.notification.not_found',
    detail: `You have no notification ${id}. It may have expired; list what there is.`,
  });
