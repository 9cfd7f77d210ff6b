import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx, Roles } from '@atelier/auth';
import { auditFilters, auditLogView, type AuditLogView } from '@atelier/contracts/identity/audit.api';
import type { Context, Page } from '@atelier/kernel';
import { pageOf, pageQuery } from '@atelier/service';
import { AuditLog, type AuditRecord } from './audit-log.js';

const auditQuery = pageQuery(auditFilters);
const ownAuditQuery = pageQuery();

/** The audit log, newest first: all of it for admins, and to everybody what concerns them. */
@ApiTags('audit')
@Controller('api/v1')
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  @Get('audit')
  @Roles('admin')
  @ApiOkResponse({ standardSchema: pageOf(auditLogView) })
  async list(@Query({ schema: auditQuery }) query: z.infer<typeof auditQuery>): Promise<Page<AuditLogView>> {
    const { limit, cursor, ...filter } = query;
    return toPageView(await this.audit.ofEverybody(filter, { limit, cursor }));
  }

  @Get('users/me/audit')
  @ApiOkResponse({ standardSchema: pageOf(auditLogView) })
  async listOwn(
    @Query({ schema: ownAuditQuery }) query: z.infer<typeof ownAuditQuery>,
    @Ctx() context: Context,
  ): Promise<Page<AuditLogView>> {
    return toPageView(await this.audit.ofUser(context.actor.id, query));
  }
}

const toPageView = ({ items, nextCursor }: Page<AuditRecord>): Page<AuditLogView> => ({
  items: items.map(toAuditLogView),
  nextCursor,
});

const toAuditLogView = ({ version: _version, ...record }: AuditRecord): AuditLogView => ({
  ...record,
  userId: (record.userId ?? null) as AuditLogView['userId'],
  targetId: record.targetId ?? null,
  ipAddress: record.ipAddress ?? null,
  userAgent: record.userAgent ?? null,
  createdAt: record.createdAt.toISOString(),
});
