import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { type ConfigOf, defineConfig } from '@atelier/service';

const MEBIBYTE = 1_048_576;

const milliseconds = (max: number) => z.coerce.number().int().min(1).max(max);
const count = (max: number) => z.coerce.number().int().min(1).max(max);
const list = z
  .string()
  .transform((text) => text.split(',').flatMap((item) => (item.trim() ? [item.trim()] : [])));
const origin = z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin);

/** Addresses and networks, as `10.0.0.0/8,::1`, into a list that can be asked. */
const networks = list.transform((items, context) => {
  const found = new BlockList();
  for (const item of items) {
    const [address = '', prefix] = item.split('/', 2);
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    try {
      if (prefix === undefined) found.addAddress(address, family);
      else found.addSubnet(address, Number(prefix), family);
    } catch {
      context.addIssue({ code: 'custom', message: 'expected addresses or networks, like 10.0.0.0/8,::1' });
    }
  }
  return found;
});

/** The whole environment of the gateway. */
export const gatewayConfig = defineConfig('gateway', {
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),

  IDENTITY_URL: origin.default('http://127.0.0.1:8081'),
  CATALOG_URL: origin.default('http://127.0.0.1:8082'),
  COMMERCE_URL: origin.default('http://127.0.0.1:8083'),
  LEDGER_URL: origin.default('http://127.0.0.1:8084'),
  STUDIO_URL: origin.default('http://127.0.0.1:8085'),
  ANALYTICS_URL: origin.default('http://127.0.0.1:8086'),
  NOTIFICATIONS_URL: origin.default('http://127.0.0.1:8087'),
  /** Where identity publishes the keys of access tokens. */
  JWKS_URL: z.url().default('http://127.0.0.1:8081/.well-known/jwks.json'),
  VERIFIED_TOKENS_MAX: count(1_000_000).default(10_000),

  /** Origins whose pages may call the API, as `https://app.example.com,…`; `*` for all, nothing for none. */
  CORS_ORIGINS: list.default([]),
  /** Proxies in front of the gateway, whose X-Forwarded-For is believed. */
  TRUSTED_PROXIES: networks.default(new BlockList()),

  /** How long an upstream may take to begin its answer; sending and receiving bodies starts the time anew. */
  UPSTREAM_TIMEOUT_MS: milliseconds(600_000).default(15_000),
  UPLOAD_TIMEOUT_MS: milliseconds(600_000).default(60_000),
  CONNECT_TIMEOUT_MS: milliseconds(60_000).default(2_000),
  /** How long either side of an answer may stand still before it is cut. Event streams may be silent. */
  STALLED_BODY_TIMEOUT_MS: milliseconds(600_000).default(30_000),
  /** How long a request may take to arrive in full. */
  REQUEST_TIMEOUT_MS: milliseconds(3_600_000).default(120_000),
  UPLOAD_BYTES_MAX: count(1_024 * MEBIBYTE).default(32 * MEBIBYTE),

  CONNECTIONS_MAX: count(1_000_000).default(20_000),
  /** Requests in work at once, event streams aside; more are turned away at once. */
  IN_FLIGHT_MAX: count(100_000).default(1_024),
  UPSTREAM_IN_FLIGHT_MAX: count(100_000).default(256),
  UPSTREAM_STREAMS_MAX: count(100_000).default(1_024),

  /** So many failed connections in a row open an upstream's breaker, for so long. */
  BREAKER_FAILURES_MAX: count(1_000).default(5),
  BREAKER_OPEN_MS: milliseconds(600_000).default(2_000),

  /** Token buckets: what may come at once, and how fast it comes back. */
  RATE_API_BURST: count(1_000_000).default(600),
  RATE_API_PER_MINUTE: count(10_000_000).default(1_200),
  RATE_AUTH_BURST: count(1_000_000).default(60),
  RATE_AUTH_PER_MINUTE: count(10_000_000).default(60),
  RATE_WEBHOOK_BURST: count(1_000_000).default(1_000),
  RATE_WEBHOOK_PER_MINUTE: count(10_000_000).default(6_000),
  /** Forged tokens, by address. Beyond, no token from there is looked at until the time is over. */
  RATE_BAD_TOKEN_BURST: count(1_000_000).default(60),
  RATE_BAD_TOKEN_PER_MINUTE: count(10_000_000).default(60),
  /** Callers that each class remembers; the least recent gives way. */
  RATE_CALLERS_MAX: count(10_000_000).default(50_000),

  UPSTREAM_HEALTH_TIMEOUT_MS: milliseconds(1_900).default(1_500),
  /** How old the aggregated documents may be. */
  UPSTREAM_HEALTH_AGE_MS_MAX: milliseconds(60_000).default(1_000),
  OPENAPI_AGE_MS_MAX: milliseconds(3_600_000).default(30_000),
  OPENAPI_TIMEOUT_MS: milliseconds(60_000).default(3_000),
});
export type GatewayConfig = ConfigOf<typeof gatewayConfig>;
