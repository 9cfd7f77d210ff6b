import type { Change, Id } from '@atelier/kernel';
import type { PaymentOutcome, ProviderName } from '../payments/payment.domain.js';
import type { ProviderEvent } from '../payments/payment-provider.js';

// An incoming event of a payment provider.
// - It is stored before the provider hears 200, once per provider and event id (R439, R624), as it came (R440, R625).
// - It is worked on from here, until it is processed or 20 attempts have failed (R441).

export interface WebhookEvent {
  readonly id: Id<'whe'>;
  readonly version: number;
  readonly provider: ProviderName;
  readonly eventId: string;
  readonly eventType: string;
  /** The body as text: every provider signs UTF-8, and the signature was checked over the bytes. */
  readonly payload: string;
  readonly outcome?: PaymentOutcome;
  readonly attempts: number;
  /** When it is due; while an attempt runs, when that counts as dead. Absent when there is nothing left to do. */
  readonly nextAttemptAt?: Date;
  /** `applied`: settled, now or before. `ignored`: nothing of ours. `refused`: it contradicts what we know. */
  readonly result?: 'applied' | 'ignored' | 'refused' | 'gave_up';
  readonly lastError?: string;
  readonly processedAt?: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export const ATTEMPTS_MAX = 20;
const BACKOFF_BASE_MS = 500;
const BACKOFF_MAX_MS = 3_600_000;
const ERROR_CHARS_MAX = 500;

export function receiveEvent(
  input: { id: Id<'whe'>; provider: ProviderName; payload: string } & ProviderEvent,
  now: Date,
): Change<WebhookEvent> {
  const state: WebhookEvent = {
    ...input,
    version: 0,
    attempts: 0,
    nextAttemptAt: now,
    createdAt: now,
    updatedAt: now,
  };
  return { state, events: [] };
}

/** Takes the event for one attempt: until the lease ends nobody else does. */
export function beginAttempt(event: WebhookEvent, leaseMs: number, now: Date): Change<WebhookEvent> {
  const nextAttemptAt = new Date(now.getTime() + leaseMs);
  return { state: { ...event, attempts: event.attempts + 1, nextAttemptAt, updatedAt: now }, events: [] };
}

export function finishEvent(
  event: WebhookEvent,
  result: 'applied' | 'ignored' | 'refused',
  now: Date,
  why?: string,
): Change<WebhookEvent> {
  const lastError = why?.slice(0, ERROR_CHARS_MAX);
  const state = { ...event, result, lastError, nextAttemptAt: undefined, processedAt: now, updatedAt: now };
  return { state, events: [] };
}

/** The attempt failed: again later, at growing distances, or never when it was the last. It is kept then. */
export function postponeEvent(event: WebhookEvent, why: string, now: Date): Change<WebhookEvent> {
  const lastError = why.slice(0, ERROR_CHARS_MAX);
  if (event.attempts >= ATTEMPTS_MAX)
    return {
      state: { ...event, result: 'gave_up', lastError, nextAttemptAt: undefined, updatedAt: now },
      events: [],
    };
  const delayMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** (event.attempts - 1));
  return {
    state: { ...event, lastError, nextAttemptAt: new Date(now.getTime() + delayMs), updatedAt: now },
    events: [],
  };
}
