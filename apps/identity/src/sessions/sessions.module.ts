import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { UsersModule } from '../users/users.module.js';
import { AuthController } from './auth.controller.js';
import { CheckPassword } from './check-password.usecase.js';
import { CloseSessions } from './close-sessions.usecase.js';
import { ConfirmOwner } from './confirm-owner.usecase.js';
import { LogIn } from './log-in.usecase.js';
import { LogInThrottle } from './log-in-throttle.js';
import { LogOut } from './log-out.usecase.js';
import { OnUserDeleted } from './on-user-deleted.consumer.js';
import { RefreshSession } from './refresh-session.usecase.js';
import { RefreshTokens } from './refresh-tokens.js';
import { SealedIdempotencyModule } from './sealed-idempotency-store.js';
import { SessionRepository } from './session.repository.js';
import { SignUp } from './sign-up.usecase.js';
import { StartSession } from './start-session.usecase.js';

@Module({
  imports: [AuditModule, KeysModule, UsersModule, SealedIdempotencyModule],
  controllers: [AuthController, OnUserDeleted],
  providers: [
    SessionRepository,
    RefreshTokens,
    LogInThrottle,
    StartSession,
    SignUp,
    CheckPassword,
    LogIn,
    RefreshSession,
    LogOut,
    CloseSessions,
    ConfirmOwner,
  ],
  exports: [ConfirmOwner],
})
export class SessionsModule {}
