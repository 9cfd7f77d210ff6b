import type {
  NotificationCategory,
  NotificationChannel,
  NotificationPriority,
  NotificationType,
} from '@atelier/contracts/notifications/notifications.api';
import type { Id } from '@atelier/kernel';

/** What one person is told about one fact. A template is a pure function from a fact's data to these. */
export interface News {
  readonly recipientId: Id<'usr'>;
  /** The template's name; e-mails are found by it (R492). */
  readonly template: string;
  readonly type: NotificationType;
  readonly category: NotificationCategory;
  readonly priority: NotificationPriority;
  readonly title: string;
  readonly message: string;
  readonly actionText?: string;
  readonly actionUrl?: string;
  readonly channels: readonly NotificationChannel[];
}

export const IN_APP: readonly NotificationChannel[] = ['in_app'];
export const IN_APP_AND_EMAIL: readonly NotificationChannel[] = ['in_app', 'email'];

/** `1 credit`, `20 credits` */
export const creditsText = (amount: number): string => `${amount} credit${amount === 1 ? '' : 's'}`;
