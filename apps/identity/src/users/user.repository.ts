import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { PLATFORM_ROLES } from '@atelier/kernel';
import { aggregateSchema, currentSession, Database, Outbox, Repository } from '@atelier/persistence';
import { BIO_CHARS_MAX, emailTaken, type AccountStatus, type User, type UserId } from './user.domain.js';

const { Mixed } = mongoose.Schema.Types;
const text = { type: String };
const flag = { type: Boolean, required: true };
const date = { type: Date };
const group = (fields: mongoose.SchemaDefinition) => ({
  type: new mongoose.Schema(fields, { _id: false, strict: 'throw' }),
});
const topics = {
  ...group({ marketing: flag, product: flag, security: flag, billing: flag }),
  required: true,
};

const schema = aggregateSchema<User>({
  email: { type: String, lowercase: true, trim: true },
  emailVerifiedAt: date,
  displayName: text,
  photoUrl: text,
  phoneNumber: text,
  accountStatus: { type: String, required: true, enum: ['pending', 'active', 'suspended', 'deleted'] },
  role: { type: String, required: true, enum: PLATFORM_ROLES },
  authMethod: { type: String, required: true, enum: ['password', 'passwordless'] },
  passwordHash: text,
  preferences: {
    ...group({
      theme: { type: String, required: true, enum: ['system', 'light', 'dark'] },
      language: { type: String, required: true },
      timezone: { type: String, required: true },
      notifications: {
        ...group({ inApp: topics, email: topics, sms: topics, webhook: topics }),
        required: true,
      },
      privacy: { ...group({ discoverable: flag, showProfile: flag }), required: true },
    }),
    required: true,
  },
  profile: group({
    bio: { type: String, maxlength: BIO_CHARS_MAX },
    website: text,
    location: text,
    company: text,
    jobTitle: text,
    profession: text,
    expertise: text,
    socialLinks: group({ linkedin: text, twitter: text, github: text }),
  }),
  stats: { type: Mixed },
  partnership: group({
    isPartner: flag,
    partnerTier: text,
    applicationStatus: { type: String, required: true, enum: ['none', 'pending', 'approved'] },
  }),
  security: {
    ...group({
      twoFactorEnabled: flag,
      twoFactorSecret: text,
      pendingTwoFactorSecret: text,
      backupCodeHashes: { type: [String], default: undefined },
      pendingBackupCodeHashes: { type: [String], default: undefined },
      lastPasswordChangeAt: date,
      suspiciousActivityDetectedAt: date,
      gdprConsentAt: date,
      dataRetentionUntil: date,
    }),
    required: true,
  },
  referralCode: text,
  referredById: text,
  referralCount: { type: Number, required: true, min: 0 },
  firebaseUid: text,
  clerkId: text,
  stripeCustomerId: text,
  loginSeq: { type: Number, required: true, min: 0 },
  lastLoginAt: date,
  lastActiveAt: date,
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
  deletedAt: date,
  deletedBy: text,
})
  // Unique when present: R141, R210, R209, R573, R5, R207. Then the look-ups of R153.
  .index({ email: 1 }, { unique: true, sparse: true })
  .index({ referralCode: 1 }, { unique: true, sparse: true })
  .index({ firebaseUid: 1 }, { unique: true, sparse: true })
  .index({ clerkId: 1 }, { unique: true, sparse: true })
  .index({ stripeCustomerId: 1 }, { unique: true, sparse: true })
  .index({ role: 1, createdAt: -1, _id: -1 })
  .index({ accountStatus: 1, lastLoginAt: -1, _id: -1 })
  .index({ createdAt: -1, _id: -1 });

/** Accounts. A user owns their row: the owner field is the id itself. */
@Injectable()
export class UserRepository extends Repository<User, 'id'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, {
      collection: 'users',
      schema,
      owner: ['id'],
      onDuplicate: (_user, fields) =>
        fields.includes('email') ? emailTaken() : new Error(`users: ${fields.join(', ')} is taken`),
    });
  }

  /** The user themselves; the id is also the owner. */
  self(id: string): Promise<User | undefined> {
    return this.loadAcrossOwners(id, 'system');
  }

  /** Whoever signs in with this address; it must be lower-cased and trimmed already. */
  byEmail(email: string): Promise<User | undefined> {
    return this.oneAcrossOwners({ email }, 'system');
  }

  /**
   * Counts a log-in (R15), and answers whether the account may sign in at this moment. Not by `save`: log-ins of one
   * person at the same time must not refuse each other. It takes a version of its own, so that no change which was
   * loaded before can write over it.
   */
  async countLogIn(id: UserId, now: Date): Promise<boolean> {
    const active: AccountStatus = 'active';
    const { matchedCount } = await this.model.collection.updateOne(
      { _id: id as never, accountStatus: active },
      { $set: { lastLoginAt: now, lastActiveAt: now }, $inc: { loginSeq: 1, version: 1 } },
      { session: currentSession() },
    );
    return matchedCount === 1;
  }
}
