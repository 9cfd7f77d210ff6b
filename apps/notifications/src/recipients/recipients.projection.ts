import mongoose from 'mongoose';
import { ACCOUNT_STATUSES, UserRegistered, UserUpdated } from '@atelier/contracts/identity/user.events';
import { Projection, type EventOf, type Projects } from '@atelier/messaging';
import { currentSession, Database } from '@atelier/persistence';
import type { Recipient } from './recipient.domain.js';

interface RecipientRow extends Omit<Recipient, 'userId'> {
  /** The user's id. */
  _id: string;
  /** Of the user, after the fact that this row tells. */
  version: number;
}

const recipientSchema = new mongoose.Schema<RecipientRow>(
  {
    _id: { type: String, required: true },
    email: { type: String },
    displayName: { type: String },
    accountStatus: { type: String, required: true, enum: ACCOUNT_STATUSES },
    version: { type: Number, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false },
);

type UserFact = typeof UserRegistered | typeof UserUpdated;

/** Everybody's current address and name; of a deleted account only that it is deleted. */
@Projection({
  id: 'notifications.view-recipients',
  group: 'notifications.view-recipients',
  consumes: [UserRegistered, UserUpdated],
})
export class Recipients implements Projects<UserFact> {
  private readonly rows: mongoose.Model<RecipientRow>;

  constructor(database: Database) {
    this.rows = database.model<RecipientRow>('view_recipients', recipientSchema);
  }

  /** By user; those are missing of whom identity's fact has not come yet. */
  async find(userIds: readonly string[]): Promise<ReadonlyMap<string, Recipient>> {
    const found = await this.rows.collection.find({ _id: { $in: [...userIds] as never[] } }).toArray();
    const rows = found as unknown as RecipientRow[];
    return new Map(
      rows.map(({ _id: userId, email, displayName, accountStatus }) => [
        userId,
        { userId, email, displayName, accountStatus },
      ]),
    );
  }

  /** A replayed dead letter comes late: what is older than the row changes nothing. */
  async handle({ data, version }: EventOf<UserFact>): Promise<void> {
    const { userId, accountStatus } = data;
    const row = await this.row(userId);
    if (row && row.version > version) return;
    const deleted = accountStatus === 'deleted';
    const person = {
      email: deleted ? null : data.email,
      displayName: deleted ? '' : data.displayName,
      accountStatus,
      version,
    };
    await this.rows.collection.replaceOne({ _id: userId as never }, person, {
      upsert: true,
      session: currentSession(),
    });
  }

  async reset(): Promise<void> {
    await this.rows.collection.deleteMany({});
  }

  private async row(userId: string): Promise<RecipientRow | null> {
    const found = await this.rows.collection.findOne({ _id: userId as never }, { session: currentSession() });
    return found as unknown as RecipientRow | null;
  }
}
