import { Injectable } from '@nestjs/common';
import { SESSION_END_REASONS } from '@atelier/contracts/identity/session.events';
import { aggregateSchema, currentSession, Database, Outbox, Repository } from '@atelier/persistence';
import type { Session } from './session.domain.js';

const required = { type: String, required: true };
const text = { type: String };
const date = { type: Date };

const schema = aggregateSchema<Session>({
  userId: required,
  familyHash: required,
  tokenHash: required,
  previousTokenHash: text,
  rotatedAt: date,
  ipAddress: text,
  userAgent: text,
  deviceType: { ...required, enum: ['desktop', 'mobile', 'tablet'] },
  browser: text,
  os: text,
  location: { type: { country: text, city: text, timezone: text, _id: false }, default: undefined },
  lastActivityAt: { type: Date, required: true },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
  expiresAt: { type: Date, required: true },
  endedAt: date,
  endReason: { ...text, enum: SESSION_END_REASONS },
})
  .index({ familyHash: 1 }, { unique: true })
  .index({ userId: 1, createdAt: -1, _id: -1 })
  .index({ lastActivityAt: -1, _id: -1 })
  .index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

/** More than `SESSIONS_OPEN_MAX` may ever be, so that this is all of them. */
const OPEN_READ_MAX = 500;

/** Log-in sessions. Expired rows are removed by the index on `expiresAt` (R225). */
@Injectable()
export class SessionRepository extends Repository<Session, 'userId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, { collection: 'user_sessions', schema, owner: ['userId'] });
  }

  /** The session of a refresh token. Whoever holds the token is its owner, so no user id is asked for. */
  byFamily(familyHash: string): Promise<Session | undefined> {
    return this.oneAcrossOwners({ familyHash }, 'system');
  }

  /** Sessions of the user that nobody has ended, the newest first. */
  async openOf(userId: string): Promise<readonly Session[]> {
    return (await this.page({ userId, endedAt: { $exists: false } }, { limit: OPEN_READ_MAX })).items;
  }

  /** Removes where from and with what the user signed in. The version goes on, so that no refresh puts it back. */
  async forgetDevicesOf(userId: string): Promise<void> {
    await this.model.collection.updateMany(
      { userId },
      { $unset: { ipAddress: '', userAgent: '', location: '', browser: '', os: '' }, $inc: { version: 1 } },
      { session: currentSession() },
    );
  }
}
