import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { AuditLog } from './audit-log.js';
import { OnAdminAction } from './on-admin-action.consumer.js';
import { RecordAdminAction } from './record-admin-action.usecase.js';

@Module({
  controllers: [AuditController, OnAdminAction],
  providers: [AuditLog, RecordAdminAction],
  exports: [AuditLog],
})
export class AuditModule {}
