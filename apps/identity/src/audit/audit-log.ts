import { Injectable } from '@nestjs/common';
import { Clock, derivedId, newId, type Context, type EventEnvelope, type Page } from '@atelier/kernel';
import { Database, Outbox, type PageRequest } from '@atelier/persistence';
import {
  AuditRecords,
  type AuditAction,
  type AuditEventType,
  type AuditFilter,
  type AuditRecord,
} from './audit-record.repository.js';

export type { AuditRecord };

/** What the place of the event knows; the rest comes from its context. */
export type AuditEntry = Pick<AuditRecord, 'action' | 'severity' | 'description' | 'userId' | 'targetId'> &
  Partial<Pick<AuditRecord, 'metadata'>>;

const EVENT_TYPES: Readonly<Record<AuditAction, AuditEventType>> = {
  user_registered: 'data_modify',
  log_in: 'login',
  log_in_failed: 'login',
  log_in_locked_out: 'login',
  log_out: 'logout',
  refresh_reuse: 'login',
  token_adjustment: 'admin_action',
  voucher_create: 'admin_action',
  voucher_update: 'admin_action',
  listing_approve: 'admin_action',
  listing_reject: 'admin_action',
  listing_withdraw: 'admin_action',
  purchase_refund: 'admin_action',
  user_delete: 'admin_action',
  admin_login: 'login',
};

/** The audit log: one way to add, two ways to read, none to change. */
@Injectable()
export class AuditLog {
  private readonly records: AuditRecords;

  constructor(
    database: Database,
    outbox: Outbox,
    private readonly clock: Clock,
  ) {
    this.records = new AuditRecords(database, outbox);
  }

  /** Adds a record; in the running transaction when there is one, so that it stands or falls with its cause. */
  append(entry: AuditEntry, context: Context): Promise<void> {
    return this.add(entry, newId('aud'), this.clock.now(), context);
  }

  /** Adds what a fact tells, as of when it happened, and once, also when it is told again after the inbox forgot it. */
  async appendFact(entry: AuditEntry, { id, time }: EventEnvelope, context: Context): Promise<void> {
    const at = new Date(time);
    const recordId = derivedId('aud', id, at);
    if (!(await this.records.find(recordId))) await this.add(entry, recordId, at, context);
  }

  ofUser(userId: string, page: PageRequest<AuditRecord>): Promise<Page<AuditRecord>> {
    return this.records.ofUser(userId, page);
  }

  ofEverybody(filter: AuditFilter, page: PageRequest<AuditRecord>): Promise<Page<AuditRecord>> {
    return this.records.ofEverybody(filter, page);
  }

  private async add(
    entry: AuditEntry,
    id: AuditRecord['id'],
    createdAt: Date,
    context: Context,
  ): Promise<void> {
    const { actor, correlationId, ipAddress, userAgent } = context;
    const state: AuditRecord = {
      ...entry,
      id,
      version: 0,
      actor: `${actor.kind}:${actor.id}`,
      eventType: EVENT_TYPES[entry.action],
      metadata: entry.metadata ?? {},
      ...(ipAddress === undefined ? {} : { ipAddress }),
      ...(userAgent === undefined ? {} : { userAgent }),
      correlationId,
      createdAt,
    };
    await this.records.save({ state, events: [] }, context);
  }
}
