import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { KeysModule } from '../keys/keys.module.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { FindAccount } from './find-account.usecase.js';
import { RegisterUser } from './register-user.usecase.js';
import { SeedDevLogins } from './seed-dev-logins.js';
import { UpdateProfile } from './update-profile.usecase.js';
import { UserRepository } from './user.repository.js';
import { UsersController } from './users.controller.js';

@Module({
  imports: [AuditModule, KeysModule],
  controllers: [UsersController],
  providers: [UserRepository, PasswordHasher, RegisterUser, FindAccount, UpdateProfile, SeedDevLogins],
  exports: [UserRepository, PasswordHasher, RegisterUser],
})
export class UsersModule {}
