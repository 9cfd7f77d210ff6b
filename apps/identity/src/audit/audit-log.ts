import { Injectable } from '@nestjs/common';
import { Clock, newId, type Context, type Page } from '@atelier/kernel';
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
  role_change: 'admin_action',
  token_adjustment: 'admin_action',
  voucher_create: 'admin_action',
  voucher_update: 'admin_action',
  voucher_delete: 'admin_action',
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
  async append(entry: AuditEntry, context: Context): Promise<void> {
    const { actor, correlationId, ipAddress, userAgent } = context;
    const state: AuditRecord = {
      ...entry,
      id: newId('aud'),
      version: 0,
      actor: `${actor.kind}:${actor.id}`,
      eventType: EVENT_TYPES[entry.action],
      metadata: entry.metadata ?? {},
      ...(ipAddress === undefined ? {} : { ipAddress }),
      ...(userAgent === undefined ? {} : { userAgent }),
      correlationId,
      createdAt: this.clock.now(),
    };
    await this.records.save({ state, events: [] }, context);
  }

  ofUser(userId: string, page: PageRequest<AuditRecord>): Promise<Page<AuditRecord>> {
    return this.records.ofUser(userId, page);
  }

  ofEverybody(filter: AuditFilter, page: PageRequest<AuditRecord>): Promise<Page<AuditRecord>> {
    return this.records.ofEverybody(filter, page);
  }
}
