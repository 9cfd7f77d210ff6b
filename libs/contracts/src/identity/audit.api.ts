import { z } from 'zod';
import { idSchema } from '@atelier/kernel';

/** What kind of event (R35). */
export const AUDIT_EVENT_TYPES = ['login', 'logout', 'data_access', 'data_modify', 'admin_action'] as const;
const AUDIT_TARGET_CHARS_MAX = 64;
export const AUDIT_SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

/**
 * What was done: the events of authentication, and what admins and moderators do (R456, R541). A change of roles and
 * the deletion of a voucher are not among them: nobody can do either yet.
 */
export const AUDIT_ACTIONS = [
  'user_registered',
  'log_in',
  'log_in_failed',
  'log_in_locked_out',
  'log_out',
  'refresh_reuse',
  'token_adjustment',
  'voucher_create',
  'voucher_update',
  'listing_approve',
  'listing_reject',
  'listing_withdraw',
  'purchase_refund',
  'user_delete',
  'admin_login',
] as const;

/** The filters of `GET /api/v1/audit` (admins), beside `limit` and `cursor`; newest first. */
export const auditFilters = {
  userId: idSchema('usr').optional(),
  action: z.enum(AUDIT_ACTIONS).optional(),
  severity: z.enum(AUDIT_SEVERITIES).optional(),
  /** What it was done to: the id of a listing, an adjustment, an account … */
  targetId: z.string().min(1).max(AUDIT_TARGET_CHARS_MAX).optional(),
};

export const auditLogView = z.object({
  id: idSchema('aud'),
  /** Whom it concerns; null when nobody with that name exists. */
  userId: idSchema('usr').nullable(),
  actor: z.string(),
  eventType: z.enum(AUDIT_EVENT_TYPES),
  action: z.enum(AUDIT_ACTIONS),
  severity: z.enum(AUDIT_SEVERITIES),
  description: z.string(),
  targetId: z.string().nullable(),
  ipAddress: z.string().nullable(),
  userAgent: z.string().nullable(),
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  correlationId: z.string(),
  createdAt: z.iso.datetime(),
});
export type AuditLogView = z.infer<typeof auditLogView>;
