import type { RegisterRequest } from '@atelier/contracts/identity/auth.api';
import type { Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { RegisterUser } from '../users/register-user.usecase.js';
import { StartSession, type SignedInUser } from './start-session.usecase.js';

/**
 * A person registers and is signed in at once.
 *
 * Emits: UserRegistered (by RegisterUser)
 * Fails with: what RegisterUser fails with
 */
@UseCase('identity.sign-up')
export class SignUp {
  constructor(
    private readonly registerUser: RegisterUser,
    private readonly startSession: StartSession,
  ) {}

  async execute(input: RegisterRequest, context: Context): Promise<SignedInUser> {
    const user = await this.registerUser.execute(input, context);
    return this.startSession.execute(user, context);
  }
}
