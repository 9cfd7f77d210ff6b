import { type SESSION_END_REASONS, SessionEnded } from '@atelier/contracts/identity/session.events';
import { type Change, DomainError, type Id } from '@atelier/kernel';
import { deviceOf, type Device } from './device.domain.js';

export type SessionEndReason = (typeof SESSION_END_REASONS)[number];

/**
 * A log-in session, and the family of refresh tokens that descend from it. Only hashes of them are kept (R223,
 * R224). Every token of the family carries the family's secret; only the newest may be exchanged.
 */
export interface Session extends Device {
  readonly id: Id<'ses'>;
  readonly version: number;
  readonly userId: string;
  readonly familyHash: string;
  readonly tokenHash: string;
  /** The token that the newest one replaced, and when: two tabs may have sent it at the same time. */
  readonly previousTokenHash?: string;
  readonly rotatedAt?: Date;
  readonly ipAddress?: string;
  readonly userAgent?: string;
  readonly location?: { readonly country?: string; readonly city?: string; readonly timezone?: string };
  readonly lastActivityAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt: Date;
  /** Active while absent (SM25). */
  readonly endedAt?: Date;
  readonly endReason?: SessionEndReason;
}

export interface SessionLimits {
  readonly idleMsMax: number;
  readonly ageMsMax: number;
}

export interface SessionStart {
  readonly id: Id<'ses'>;
  readonly userId: string;
  readonly familyHash: string;
  readonly tokenHash: string;
  readonly ipAddress?: string | undefined;
  readonly userAgent?: string | undefined;
}

/** A session begins (R157). */
export function startSession(input: SessionStart, limits: SessionLimits, now: Date): Change<Session> {
  const { ipAddress, userAgent, ...rest } = input;
  const state: Session = {
    ...rest,
    version: 0,
    ...deviceOf(userAgent),
    ...(ipAddress === undefined ? {} : { ipAddress }),
    ...(userAgent === undefined ? {} : { userAgent }),
    lastActivityAt: now,
    createdAt: now,
    updatedAt: now,
    expiresAt: expiryOf(now, now, limits),
  };
  return { state, events: [] };
}

/**
 * What a token of this family means that came at `now`: `rotate` for the newest, `repeat` for the one before it when
 * it came before the exchange was done or within the grace after it, `reuse` for any other: it was exchanged before,
 * so two parties hold the family (promise 24).
 */
export function judgeRefresh(
  session: Session,
  tokenHash: string,
  graceMs: number,
  now: Date,
): 'rotate' | 'repeat' | 'reuse' {
  if (tokenHash === session.tokenHash) return 'rotate';
  const isPrevious = tokenHash === session.previousTokenHash && session.rotatedAt !== undefined;
  return isPrevious && now.getTime() - session.rotatedAt.getTime() <= graceMs ? 'repeat' : 'reuse';
}

/** The newest token is exchanged for its successor; the idle time begins anew. */
export function rotateSession(
  session: Session,
  nextHash: string,
  limits: SessionLimits,
  now: Date,
): Change<Session> {
  const state: Session = {
    ...session,
    tokenHash: nextHash,
    previousTokenHash: session.tokenHash,
    rotatedAt: now,
    lastActivityAt: now,
    updatedAt: now,
    expiresAt: expiryOf(session.createdAt, now, limits),
  };
  return { state, events: [] };
}

/** Ends the session and with it the whole family. */
export function endSession(session: Session, reason: SessionEndReason, now: Date): Change<Session> {
  const state: Session = { ...session, endedAt: now, endReason: reason, updatedAt: now };
  const { id, userId } = session;
  const fact = SessionEnded(id, {
    sessionId: id,
    userId: userId as Id<'usr'>,
    reason,
    endedAt: now.toISOString(),
  });
  return { state, events: [fact] };
}

/** Whether the session still counts; rows of expired ones stay until the database's sweep takes them (R158, R225). */
export const isActive = (session: Session, now: Date): boolean =>
  session.endedAt === undefined && session.expiresAt > now;

const expiryOf = (createdAt: Date, now: Date, { idleMsMax, ageMsMax }: SessionLimits): Date =>
  new Date(Math.min(now.getTime() + idleMsMax, createdAt.getTime() + ageMsMax));

/** One answer for unknown, expired and ended: a stranger learns nothing. */
export const sessionInvalid = () =>
  new DomainError({
    kind: 'unauthenticated',
    code: 'identity.session.invalid',
    detail: 'The refresh token is unknown, expired or signed out. Sign in again.',
  });

export const reuseDetected = () =>
  new DomainError({
    kind: 'unauthenticated',
    code: 'identity.session.reuse_detected',
    detail: 'This refresh token was exchanged before, so its whole session was ended. Sign in again.',
  });
