import { Injectable } from '@nestjs/common';
import { InjectConfig } from '@atelier/service';
import { gatewayConfig, type GatewayConfig } from '../gateway.config.js';
import { METHODS } from '../routing/routes.js';

const PREFLIGHT_AGE_SECONDS = 600;
const ALLOWED_HEADERS = [
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
  'x-correlation-id',
  'x-request-id',
  'traceparent',
  'tracestate',
].join(', ');
const EXPOSED_HEADERS = [
  'etag',
  'idempotency-replayed',
  'link',
  'location',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'x-request-id',
].join(', ');

/** Which pages of other origins may call. Tokens travel in a header, so no page is ever given credentials. */
@Injectable()
export class Cors {
  private readonly origins: ReadonlySet<string>;
  private readonly isOpen: boolean;

  constructor(@InjectConfig(gatewayConfig) config: GatewayConfig) {
    this.origins = new Set(config.CORS_ORIGINS);
    this.isOpen = this.origins.has('*');
  }

  /** The fields of an answer to this origin, as name, value, …. */
  headers(origin: string | undefined): string[] {
    if (this.origins.size === 0) return [];
    const vary = this.isOpen ? [] : ['vary', 'Origin'];
    if (!this.allows(origin)) return vary;
    return [
      ...vary,
      'access-control-allow-origin',
      this.isOpen ? '*' : origin,
      'access-control-expose-headers',
      EXPOSED_HEADERS,
    ];
  }

  /** The further fields of the answer to a preflight request. */
  preflightHeaders(origin: string | undefined): string[] {
    if (!this.allows(origin)) return [];
    return [
      'access-control-allow-methods',
      METHODS.join(', '),
      'access-control-allow-headers',
      ALLOWED_HEADERS,
      'access-control-max-age',
      String(PREFLIGHT_AGE_SECONDS),
    ];
  }

  private allows(origin: string | undefined): origin is string {
    return origin !== undefined && (this.isOpen || this.origins.has(origin));
  }
}
