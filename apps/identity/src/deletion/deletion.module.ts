import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { UsersModule } from '../users/users.module.js';
import { DeleteUser } from './delete-user.usecase.js';
import { DeletionController } from './deletion.controller.js';

@Module({
  imports: [AuditModule, UsersModule, SessionsModule],
  controllers: [DeletionController],
  providers: [DeleteUser],
})
export class DeletionModule {}
