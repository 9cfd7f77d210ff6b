import { Injectable } from '@nestjs/common';
import { AccessTokenVerifier, tokenInvalid } from '@atelier/auth';
import { ANONYMOUS, DomainError, type Actor } from '@atelier/kernel';
import { tokenMissing } from '../edge/refusals.js';
import { RateLimits } from '../limits/rate-limits.js';
import type { Access } from '../routing/routes.js';

const BEARER = /^Bearer +([\w.~+/-]+=*)$/i;

/** Finds out who calls, from the access token alone. */
@Injectable()
export class Callers {
  constructor(
    private readonly tokens: AccessTokenVerifier,
    private readonly limits: RateLimits,
  ) {}

  /**
   * The actor behind an `Authorization` field. Throws unauthenticated `gateway.token.missing`, `.expired` or
   * `.invalid`, and unavailable `gateway.jwks.unavailable`.
   */
  async identify(access: Access, authorization: string | undefined, network: string): Promise<Actor> {
    if (access === 'anonymous') return ANONYMOUS;
    if (authorization === undefined) {
      if (access === 'optional') return ANONYMOUS;
      throw tokenMissing();
    }
    this.limits.refuseGuessing(network);
    try {
      const token = BEARER.exec(authorization)?.[1];
      if (token === undefined) throw tokenInvalid();
      return await this.tokens.verify(token);
    } catch (error) {
      // An expired token is no guess: clients find out by it that they have to refresh.
      if (error instanceof DomainError && error.code === 'gateway.token.invalid')
        this.limits.countBadToken(network);
      throw error;
    }
  }
}
