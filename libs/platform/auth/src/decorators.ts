import { SetMetadata } from '@nestjs/common';
import type { PlatformRole } from '@atelier/kernel';

/** Who may call a route. Without any of these: users and services. */
export interface AccessRule {
  readonly access: 'outside' | 'public' | 'signed_in' | 'service';
  readonly role?: PlatformRole;
}

export const ACCESS_RULE = Symbol('access rule');
export const REQUIRED_SCOPES = Symbol('required scopes');

const rule = (value: AccessRule) => SetMetadata(ACCESS_RULE, value);

/** Visitors may call it too. The request still comes through the gateway, with an actor header. */
export const Public = () => rule({ access: 'public' });

/** Users and services: the default, spelled out. It narrows a public controller for one route. */
export const SignedIn = () => rule({ access: 'signed_in' });

/** Users with at least this platform role. */
export const Roles = (role: PlatformRole) => rule({ access: 'signed_in', role });

/** For internal routes: only other services. */
export const ServiceOnly = () => rule({ access: 'service' });

/** For probes and scrapers, which come to the service directly and without an actor. */
export const OutsideGateway = () => rule({ access: 'outside' });

/** What a restricted token or API key must include. An actor without a list of scopes is not restricted. */
export const Scopes = (...scopes: string[]) => SetMetadata(REQUIRED_SCOPES, scopes);
