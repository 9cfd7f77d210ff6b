import { DomainError, type ErrorKind } from '@atelier/kernel';
import { PLATFORM_REFUSALS } from '@atelier/service';
import type { UpstreamName } from '../routing/routes.js';

const SHED_RETRY_SECONDS = 1;

const refusal = (kind: ErrorKind, code: string, detail: string, retryAfterSeconds?: number) =>
  new DomainError({ kind, code, detail, retryAfterSeconds });

/** A refusal with a status that no service gives. */
class GatewayRefusal extends DomainError {
  constructor(
    private readonly gatewayStatus: 408 | 502 | 504,
    code: string,
    detail: string,
    cause?: unknown,
  ) {
    super({ kind: 'unavailable', code, detail, cause });
  }

  override get status(): number {
    return this.gatewayStatus;
  }
}

export const malformedPath = () =>
  refusal(
    'invalid',
    'gateway.path.malformed',
    'The path has dot segments, empty segments or encoded separators.',
  );

export const malformedRequest = () => refusal('invalid', ...PLATFORM_REFUSALS[400]);

export const tokenMissing = () =>
  refusal('unauthenticated', 'gateway.token.missing', 'Sign in and send the access token as a bearer token.');

export const tooManyRequests = (retryAfterSeconds: number) =>
  refusal(
    'too_many_requests',
    'gateway.rate_limit.exceeded',
    'Too many requests. Wait as long as Retry-After says.',
    retryAfterSeconds,
  );

export const requestTimeout = () => new GatewayRefusal(408, ...PLATFORM_REFUSALS[408]);

export const bodyTooLarge = (bytesMax: number) =>
  refusal(
    'payload_too_large',
    PLATFORM_REFUSALS[413][0],
    `The request body is larger than this resource takes: at most ${bytesMax} bytes.`,
  );

export const overloaded = () =>
  refusal(
    'unavailable',
    'gateway.overloaded',
    'More requests are in work than can be taken. Try again shortly.',
    SHED_RETRY_SECONDS,
  );

export const upstreamUnavailable = (upstream: UpstreamName, retryAfterSeconds: number, cause?: unknown) =>
  new DomainError({
    kind: 'unavailable',
    code: 'gateway.upstream.unavailable',
    detail: `The service "${upstream}" cannot be reached now. Nothing was changed; try again shortly.`,
    retryAfterSeconds,
    cause,
  });

const UNKNOWN_OUTCOME =
  'It is not known whether the request took effect: repeat it with the same Idempotency-Key.';

export const upstreamTimeout = (upstream: UpstreamName) =>
  new GatewayRefusal(
    504,
    'gateway.upstream.timeout',
    `The service "${upstream}" did not answer in time. ${UNKNOWN_OUTCOME}`,
  );

export const upstreamBroken = (upstream: UpstreamName, cause: unknown) =>
  new GatewayRefusal(
    502,
    'gateway.upstream.broken',
    `The service "${upstream}" broke off before it answered. ${UNKNOWN_OUTCOME}`,
    cause,
  );
