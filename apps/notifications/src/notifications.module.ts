import { Module } from '@nestjs/common';
import { DeliveryFailed, DeliverySent } from '@atelier/contracts/notifications/delivery.events';
import { MessagingModule } from '@atelier/messaging';
import { PersistenceModule } from '@atelier/persistence';
import { ReactionsModule } from './reactions/reactions.module.js';

@Module({
  imports: [
    PersistenceModule.forRoot({ database: 'notifications', migrations: [] }),
    MessagingModule.forRoot({ app: 'notifications', publishes: [DeliverySent, DeliveryFailed] }),
    ReactionsModule,
  ],
})
export class NotificationsModule {}
