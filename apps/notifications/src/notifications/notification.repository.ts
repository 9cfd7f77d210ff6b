import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import {
  DELIVERY_STATUSES,
  NOTIFICATION_CATEGORIES,
  NOTIFICATION_CHANNELS,
  NOTIFICATION_PRIORITIES,
  NOTIFICATION_TYPES,
  type DeliveryStatus,
  type NotificationChannel,
} from '@atelier/contracts/notifications/notifications.api';
import type { Page } from '@atelier/kernel';
import {
  aggregateSchema,
  currentSession,
  Database,
  Outbox,
  Repository,
  type OwnedFilter,
  type PageRequest,
} from '@atelier/persistence';
import type { Notification } from './notification.domain.js';

const text = { type: String };
const required = { type: String, required: true };
const date = { type: Date, required: true };
const status = { type: String, enum: DELIVERY_STATUSES };
const deliveryStatus = new mongoose.Schema(
  Object.fromEntries(NOTIFICATION_CHANNELS.map((channel) => [channel, status])),
  { _id: false, id: false, strict: 'throw' },
);

const schema = aggregateSchema<Notification>({
  userId: required,
  type: { ...required, enum: NOTIFICATION_TYPES },
  category: { ...required, enum: NOTIFICATION_CATEGORIES },
  priority: { ...required, enum: NOTIFICATION_PRIORITIES },
  title: required,
  message: required,
  actionText: text,
  actionUrl: text,
  readAt: { type: Date },
  dismissedAt: { type: Date },
  imageUrl: text,
  iconName: text,
  iconColor: text,
  targetedFeatures: { type: [String], required: true },
  userSegment: text,
  deliveryChannels: { type: [{ type: String, enum: NOTIFICATION_CHANNELS }], required: true },
  deliveryStatus: { type: deliveryStatus, required: true },
  campaignId: text,
  batchId: text,
  template: required,
  sourceEventId: required,
  expiresAt: date,
  createdAt: date,
  updatedAt: date,
})
  .index({ userId: 1, createdAt: -1, _id: -1 })
  .index({ userId: 1, readAt: 1, createdAt: -1, _id: -1 })
  .index({ userId: 1, sourceEventId: 1 }, { unique: true })
  .index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

@Injectable()
export class NotificationRepository extends Repository<Notification, 'userId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, { collection: 'notifications', schema, owner: ['userId'] });
  }

  /** What a person has not dismissed, newest first. The sweep of expired rows is late by up to a minute. */
  list(
    userId: string,
    unreadOnly: boolean,
    now: Date,
    page: PageRequest<Notification>,
  ): Promise<Page<Notification>> {
    return this.page(openFilter(userId, unreadOnly, now), page);
  }

  /** Counts no further than `countMax`. */
  countUnread(userId: string, now: Date, countMax: number): Promise<number> {
    return this.model.collection.countDocuments(openFilter(userId, true, now), { limit: countMax });
  }

  /** Marks as read what the inbox showed as unread by `now`; answers how many became read. */
  async markAllRead(userId: string, now: Date): Promise<number> {
    const { modifiedCount } = await this.model.collection.updateMany(
      { ...openFilter(userId, true, now), createdAt: { $lte: now } },
      { $set: { readAt: now, updatedAt: now }, $inc: { version: 1 } },
    );
    return modifiedCount;
  }

  /**
   * Adds those that are not there yet with one command, in the transaction that is running; answers these. Looking
   * first would be a second command, and running into the id would end the transaction.
   */
  async addMissing(notifications: readonly Notification[]): Promise<readonly Notification[]> {
    if (notifications.length === 0) return [];
    const added = notifications.map((notification) => ({ ...notification, version: 1 }));
    const operations = await Promise.all(
      added.map(async (notification) => {
        const { _id, ...row } = await this.rowOf(notification);
        return { updateOne: { filter: { _id: _id as never }, update: { $setOnInsert: row }, upsert: true } };
      }),
    );
    const { upsertedIds } = await this.model.collection.bulkWrite(operations, { session: currentSession() });
    return added.filter((_, index) => index in upsertedIds);
  }

  /** Notes how a channel ended, unless that is known already or it is none of this notification's (R123). */
  async settleDelivery(
    id: string,
    userId: string,
    channel: NotificationChannel,
    status: Exclude<DeliveryStatus, 'pending'>,
    now: Date,
  ): Promise<void> {
    const field = `deliveryStatus.${channel}`;
    await this.model.collection.updateOne(
      { _id: id as never, userId, [field]: 'pending' },
      { $set: { [field]: status, updatedAt: now }, $inc: { version: 1 } },
      { session: currentSession() },
    );
  }

  /** For a person whose account was deleted. */
  async removeAllOf(userId: string): Promise<void> {
    await this.model.collection.deleteMany({ userId }, { session: currentSession() });
  }
}

const openFilter = (userId: string, unreadOnly: boolean, now: Date): OwnedFilter<Notification, 'userId'> => ({
  userId,
  dismissedAt: null,
  expiresAt: { $gt: now },
  ...(unreadOnly ? { readAt: null } : {}),
});
