import type { Context, EventEnvelope } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { adminActionOf } from './admin-action.domain.js';
import { AuditLog } from './audit-log.js';

/**
 * Records what an admin or a moderator did in another service, once per fact (R541).
 *
 * Emits: nothing
 * Fails with: nothing
 */
@UseCase('identity.record-admin-action')
export class RecordAdminAction {
  constructor(private readonly audit: AuditLog) {}

  async execute(fact: EventEnvelope, context: Context): Promise<void> {
    const entry = adminActionOf(fact);
    if (entry) await this.audit.appendFact(entry, fact, context);
  }
}
