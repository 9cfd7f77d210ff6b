import { readFile } from 'node:fs/promises';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { z } from 'zod';
import { emailSchema } from '@atelier/contracts/identity/auth.api';
import { DomainError, newId, type Context } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { type ConfigOf, InjectConfig } from '@atelier/service';
import { identityConfig } from '../identity.config.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { RegisterUser } from './register-user.usecase.js';
import { UserRepository } from './user.repository.js';

const login = z.object({ email: emailSchema, password: z.string().min(1) });
const devLogins = z.object({ admin: login, moderator: login });
const ROLES = ['admin', 'moderator'] as const;

/** Makes the accounts of `DEV_LOGINS_FILE` at the first start. Never in production. */
@Injectable()
export class SeedDevLogins implements OnApplicationBootstrap {
  private readonly log = new Logger(SeedDevLogins.name);

  constructor(
    private readonly registerUser: RegisterUser,
    private readonly users: UserRepository,
    private readonly passwords: PasswordHasher,
    private readonly database: Database,
    @InjectConfig(identityConfig) private readonly config: ConfigOf<typeof identityConfig>,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { DEV_LOGINS_FILE: file, NODE_ENV } = this.config;
    if (!file) return;
    if (NODE_ENV === 'production') {
      this.log.warn('DEV_LOGINS_FILE is ignored in production');
      return;
    }
    const logins = devLogins.parse(JSON.parse(await readFile(file, 'utf8')));
    const id = newId('req');
    const context: Context = {
      actor: { kind: 'service', id: 'identity' },
      correlationId: id,
      causationId: id,
    };
    for (const role of ROLES) {
      const { email, password } = logins[role];
      try {
        await this.registerUser.execute(
          { email, password, displayName: `Development ${role}` },
          context,
          role,
        );
        this.log.log(`development log-in for the role ${role} made`);
      } catch (error) {
        // From an earlier start, or by another replica just now.
        if (!(error instanceof DomainError) || error.code !== 'identity.user.email_taken') throw error;
        const user = await this.users.byEmail(email);
        if (await this.passwords.verify(password, user?.passwordHash)) continue;
        this.log.warn(
          `The log-in for the role ${role} in ${file} does not work: the database ` +
            `"${this.database.connection.name}" has ${email} with another password. Name another database.`,
        );
      }
    }
  }
}
