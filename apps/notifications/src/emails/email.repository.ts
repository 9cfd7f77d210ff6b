import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import {
  aggregateSchema,
  currentSession,
  Database,
  fromDocument,
  Outbox,
  Repository,
  type AcrossOwners,
  type Stored,
} from '@atelier/persistence';
import { EMAIL_STATUSES, type Email } from './email.domain.js';

const text = { type: String };
const required = { type: String, required: true };
const date = { type: Date };

const schema = aggregateSchema<Email>({
  userId: required,
  notificationId: required,
  to: text,
  subject: required,
  template: required,
  status: { ...required, enum: EMAIL_STATUSES },
  providerMessageId: text,
  metadata: { type: mongoose.Schema.Types.Mixed, required: true },
  attempts: { type: Number, required: true, min: 0 },
  nextAttemptAt: date,
  lastError: text,
  sentAt: date,
  openedAt: date,
  clickedAt: date,
  bouncedAt: date,
  correlationId: required,
  sourceEventId: required,
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
})
  .index({ notificationId: 1 }, { unique: true })
  .index({ providerMessageId: 1 }, { unique: true, sparse: true })
  .index({ userId: 1, createdAt: -1, _id: -1 })
  .index({ status: 1, nextAttemptAt: 1, _id: 1 })
  .index({ sentAt: -1 })
  .index({ template: 1, createdAt: -1 });

type Row = mongoose.mongo.Filter<mongoose.AnyObject>;

/** The log and the queue of e-mails in one (`email_logs`). */
@Injectable()
export class EmailRepository extends Repository<Email, 'userId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, { collection: 'email_logs', schema, owner: ['userId'] });
  }

  /** E-mails that wait for a sender, the longest first. */
  async dueAcrossOwners(now: Date, countMax: number, _why: AcrossOwners): Promise<readonly Email[]> {
    const rows = await this.model.collection
      .find({ status: 'pending', nextAttemptAt: { $lte: now } } as Row)
      .sort({ nextAttemptAt: 1, _id: 1 })
      .limit(countMax)
      .toArray();
    return rows.map((row) => fromDocument<Email>(row as unknown as Stored<Email>));
  }

  /** For a person whose account was deleted (R488). */
  async removeAllOf(userId: string): Promise<void> {
    await this.model.collection.deleteMany({ userId }, { session: currentSession() });
  }
}
