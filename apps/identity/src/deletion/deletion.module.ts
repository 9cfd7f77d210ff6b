import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { DeleteUser } from './delete-user.usecase.js';
import { DeletionController } from './deletion.controller.js';
import { OwnerConfirmation } from './owner-confirmation.js';

@Module({
  imports: [AuditModule, UsersModule, SessionsModule],
  controllers: [DeletionController],
  providers: [DeleteUser, OwnerConfirmation],
})
export class DeletionModule {}
