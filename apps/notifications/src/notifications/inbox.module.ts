import { Module } from '@nestjs/common';
import { EmailsModule } from '../emails/emails.module.js';
import { RecipientsModule } from '../recipients/recipients.module.js';
import { CountUnread } from './count-unread.usecase.js';
import { DismissNotification } from './dismiss-notification.usecase.js';
import { ListNotifications } from './list-notifications.usecase.js';
import { NotificationRepository } from './notification.repository.js';
import { NotificationsController } from './notifications.controller.js';
import { NotifyPeople } from './notify-people.usecase.js';
import { OnDeliverySettled } from './on-delivery-settled.consumer.js';
import { ReadAllNotifications } from './read-all-notifications.usecase.js';
import { ReadNotification } from './read-notification.usecase.js';
import { RemoveNotificationsOf } from './remove-notifications-of.usecase.js';
import { SettleDelivery } from './settle-delivery.usecase.js';

const CONSUMERS = [OnDeliverySettled];
const USE_CASES = [
  NotifyPeople,
  ListNotifications,
  CountUnread,
  ReadNotification,
  ReadAllNotifications,
  DismissNotification,
  SettleDelivery,
  RemoveNotificationsOf,
];

@Module({
  imports: [EmailsModule, RecipientsModule],
  controllers: [NotificationsController, ...CONSUMERS],
  providers: [NotificationRepository, ...USE_CASES],
  exports: [NotifyPeople, RemoveNotificationsOf],
})
export class InboxModule {}
