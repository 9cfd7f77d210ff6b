import type { RegisterRequest } from '@atelier/contracts/identity/auth.api';
import { Clock, idFor, type Context, type PlatformRole } from '@atelier/kernel';
import { Database } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { AuditLog } from '../audit/audit-log.js';
import { DerivedKeys } from '../keys/derived-keys.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { checkPassword } from '../passwords/password.domain.js';
import { emailTaken, registerUser, type User } from './user.domain.js';
import { UserRepository } from './user.repository.js';

/**
 * Gives a person an account. Of two registrations of one address at once, the unique index lets one through.
 *
 * Emits: UserRegistered
 * Fails with: identity.password.too_short | too_long | too_common | busy, identity.user.email_taken
 */
@UseCase('identity.register-user')
export class RegisterUser {
  constructor(
    private readonly users: UserRepository,
    private readonly audit: AuditLog,
    private readonly passwords: PasswordHasher,
    private readonly keys: DerivedKeys,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async execute(input: RegisterRequest, context: Context, role: PlatformRole = 'user'): Promise<User> {
    checkPassword(input.password, input);
    const id = idFor(context, 'usr');
    const known = await this.users.byEmail(input.email);
    // Its own id: the first run of this very request got this far and died.
    if (known?.id === id) return known;
    if (known) throw emailTaken();

    const passwordHash = await this.passwords.hash(input.password);
    const { email, displayName, referralCode } = input;
    const ipAddressHash = context.ipAddress && this.keys.mac('ip-address', context.ipAddress);
    const change = registerUser(
      { id, email, displayName, passwordHash, role, referralCode, ipAddressHash },
      this.clock.now(),
    );
    return this.database.transaction(async () => {
      const user = await this.users.save(change, context);
      await this.audit.append(
        {
          action: 'user_registered',
          severity: 'low',
          userId: user.id,
          description: 'An account was registered.',
        },
        context,
      );
      return user;
    });
  }
}
