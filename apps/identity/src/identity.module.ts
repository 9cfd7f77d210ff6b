import { Module } from '@nestjs/common';
import { SessionEnded } from '@atelier/contracts/identity/session.events';
import { UserDeleted, UserRegistered, UserUpdated } from '@atelier/contracts/identity/user.events';
import { MessagingModule } from '@atelier/messaging';
import { PersistenceModule } from '@atelier/persistence';
import { AuditModule } from './audit/audit.module.js';
import { DeletionModule } from './deletion/deletion.module.js';
import { KeysModule } from './keys/keys.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { UsersModule } from './users/users.module.js';

/** Who people are. Of other services it hears what admins did, for the audit log. */
@Module({
  imports: [
    PersistenceModule.forRoot({ database: 'identity', migrations: [] }),
    MessagingModule.forRoot({
      app: 'identity',
      publishes: [UserRegistered, UserUpdated, UserDeleted, SessionEnded],
    }),
    KeysModule,
    AuditModule,
    UsersModule,
    SessionsModule,
    DeletionModule,
  ],
})
export class IdentityModule {}
