import mongoose from 'mongoose';
import { AUDIT_ACTIONS, AUDIT_EVENT_TYPES, AUDIT_SEVERITIES } from '@atelier/contracts/identity/audit.api';
import type { Id, Page } from '@atelier/kernel';
import {
  aggregateSchema,
  type Database,
  type Outbox,
  Repository,
  type PageRequest,
} from '@atelier/persistence';

export type AuditAction = (typeof AUDIT_ACTIONS)[number];
export type AuditEventType = (typeof AUDIT_EVENT_TYPES)[number];
export type AuditSeverity = (typeof AUDIT_SEVERITIES)[number];

/** One security event or admin action. Written once, never changed, kept for ever (R455, R459). */
export interface AuditRecord {
  readonly id: Id<'aud'>;
  readonly version: number;
  /** Whom it concerns; absent when nobody with that name exists. */
  readonly userId?: string;
  /** `user:usr_…`: who did it. */
  readonly actor: string;
  readonly eventType: AuditEventType;
  readonly action: AuditAction;
  readonly severity: AuditSeverity;
  readonly description: string;
  readonly targetId?: string;
  readonly ipAddress?: string;
  readonly userAgent?: string;
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
  readonly correlationId: string;
  readonly createdAt: Date;
}

const required = { type: String, required: true };

const schema = aggregateSchema<AuditRecord>({
  userId: { type: String },
  actor: required,
  eventType: { ...required, enum: AUDIT_EVENT_TYPES },
  action: { ...required, enum: AUDIT_ACTIONS },
  severity: { ...required, enum: AUDIT_SEVERITIES },
  description: required,
  targetId: { type: String },
  ipAddress: { type: String },
  userAgent: { type: String },
  metadata: { type: mongoose.Schema.Types.Mixed, required: true },
  correlationId: required,
  createdAt: { type: Date, required: true },
})
  .index({ userId: 1, createdAt: -1, _id: -1 })
  .index({ action: 1, createdAt: -1, _id: -1 })
  .index({ severity: 1, createdAt: -1, _id: -1 })
  .index({ targetId: 1, createdAt: -1, _id: -1 })
  .index({ createdAt: -1, _id: -1 });

/** For AuditLog only, and no module provides it: its `save` could change a record, and nobody may. */
export class AuditRecords extends Repository<AuditRecord, 'userId'> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, { collection: 'audit_logs', schema, owner: ['userId'] });
  }

  find(id: Id<'aud'>): Promise<AuditRecord | undefined> {
    return this.loadAcrossOwners(id, 'system');
  }

  ofUser(userId: string, page: PageRequest<AuditRecord>): Promise<Page<AuditRecord>> {
    return this.page({ userId }, page);
  }

  ofEverybody(filter: AuditFilter, page: PageRequest<AuditRecord>): Promise<Page<AuditRecord>> {
    return this.pageAcrossOwners(filter, page, 'moderation');
  }
}

export interface AuditFilter {
  readonly userId?: string;
  readonly action?: AuditAction;
  readonly severity?: AuditSeverity;
  readonly targetId?: string;
}
