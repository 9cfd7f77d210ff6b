import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { VersionConflict, type Change } from '@atelier/kernel';
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
import { KEPT_DAYS } from '../notifications/notification.domain.js';
import { contextOf, EMAIL_STATUSES, type Email } from './email.domain.js';

const text = { type: String };
const required = { type: String, required: true };
const date = { type: Date };
/** An e-mail is kept no longer than the notification that it is of may be. */
const KEPT_SECONDS = KEPT_DAYS.urgent * 86_400;

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
  .index({ template: 1, createdAt: -1 })
  .index({ createdAt: 1 }, { expireAfterSeconds: KEPT_SECONDS });

const COLLECTION = 'email_logs';

type Row = mongoose.mongo.Filter<mongoose.AnyObject>;

/** The log and the queue of e-mails in one (`email_logs`). */
@Injectable()
export class EmailRepository extends Repository<Email, 'userId'> {
  constructor(
    database: Database,
    private readonly facts: Outbox,
  ) {
    super(database, facts, { collection: COLLECTION, schema, owner: ['userId'] });
  }

  /** Stores new e-mails with one command, in the transaction that is running; answers them with their version. */
  async addAll(emails: readonly Email[]): Promise<readonly Email[]> {
    const added = emails.map((email) => ({ ...email, version: 1 }));
    const rows = await Promise.all(added.map((email) => this.rowOf(email)));
    await this.model.collection.insertMany(rows, { session: currentSession() });
    return added;
  }

  /**
   * What became of some e-mails and the facts of it, in one transaction. Throws VersionConflict, and saves nothing,
   * when one of them was changed or removed since.
   */
  async saveAll(changes: readonly Change<Email>[]): Promise<void> {
    if (changes.length === 0) return;
    const operations = await Promise.all(
      changes.map(async ({ state: { version, ...email } }) => ({
        replaceOne: {
          filter: { _id: email.id as never, version },
          replacement: await this.rowOf({ ...email, version: version + 1 }),
        },
      })),
    );
    const facts = changes.flatMap(({ state, events }) =>
      events.map((event) => ({ event, version: state.version + 1, context: contextOf(state) })),
    );
    await this.database.transaction(async (session) => {
      const { matchedCount } = await this.model.collection.bulkWrite(operations, { session });
      if (matchedCount !== changes.length)
        throw new VersionConflict(COLLECTION, changes.map(({ state }) => state.id).join(', '));
      await this.facts.appendAll(facts, session, new Date());
    });
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
