import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { DomainError, PLATFORM_ROLES, type Actor, type PlatformRole } from '@atelier/kernel';
import { ACTOR_HEADER, ActorVerifier } from './actor-header.js';
import { ACCESS_RULE, REQUIRED_SCOPES, type AccessRule } from './decorators.js';
import { contextFrom, setContextOf, type IncomingRequest } from './request-context.js';

const DEFAULT_RULE: AccessRule = { access: 'signed_in' };

/**
 * The guard of every route: takes the actor from the signed header, refuses calls that did not come through the
 * gateway, applies the route's rule, and puts the Context on the request.
 */
@Injectable()
export class ActorGuard implements CanActivate {
  constructor(
    private readonly verifier: ActorVerifier,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    // Messages carry their actor in the envelope, and topics are not open to strangers.
    if (execution.getType() !== 'http') return true;
    const targets = [execution.getHandler(), execution.getClass()];
    const rule =
      this.reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, targets) ?? DEFAULT_RULE;
    if (rule.access === 'outside') return true;

    const request = execution.switchToHttp().getRequest<IncomingRequest>();
    const header = request.headers[ACTOR_HEADER];
    if (typeof header !== 'string' || header === '')
      throw refuse('unauthenticated', 'platform.actor.missing', 'Call the API through the gateway.');
    const actor = await this.verifier.verify(header);
    allow(
      actor,
      rule,
      this.reflector.getAllAndOverride<string[] | undefined>(REQUIRED_SCOPES, targets) ?? [],
    );
    setContextOf(request, contextFrom(request, actor));
    return true;
  }
}

function allow(actor: Actor, rule: AccessRule, scopes: readonly string[]): void {
  if (rule.access === 'service' && actor.kind !== 'service')
    throw refuse('forbidden', 'platform.actor.not_service', 'Only services of the platform may call this.');
  if (rule.access === 'signed_in' && actor.kind === 'anonymous')
    throw refuse('unauthenticated', 'platform.actor.anonymous', 'Sign in first.');
  if (rule.role && !hasRole(actor, rule.role))
    throw refuse(
      'forbidden',
      'platform.role.insufficient',
      `This needs the role ${rule.role} or a higher one.`,
    );
  const missing = actor.scopes ? scopes.filter((scope) => !actor.scopes?.includes(scope)) : [];
  if (missing.length > 0)
    throw refuse('forbidden', 'platform.scope.missing', `This needs the scope ${missing.join(', ')}.`);
}

/** Whether an actor has at least this platform role. Services have none. */
export function hasRole(actor: Actor, role: PlatformRole): boolean {
  return (
    actor.kind === 'user' &&
    actor.role !== undefined &&
    PLATFORM_ROLES.indexOf(actor.role) >= PLATFORM_ROLES.indexOf(role)
  );
}

const refuse = (kind: 'unauthenticated' | 'forbidden', code: string, detail: string) =>
  new DomainError({ kind, code, detail });
