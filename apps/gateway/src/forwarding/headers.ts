import type { IncomingHttpHeaders } from 'node:http';
import { isWellFormedId } from '@atelier/auth';
import { currentTraceparent, isTraceparent, newTraceparent } from '@atelier/observability';

/** Of one connection only (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

const WITHHELD_FROM_UPSTREAMS = new Set([
  ...HOP_BY_HOP,
  'host',
  'expect',
  'content-length',
  // Credentials end here: services know callers by the actor header alone.
  'authorization',
  'cookie',
  'forwarded',
  'x-real-ip',
  'x-request-id',
  'x-correlation-id',
  'traceparent',
  'tracestate',
]);
const WITHHELD_PREFIX = 'x-atelier-';
const PROXY_PREFIX = 'x-forwarded-';

const WITHHELD_FROM_CLIENTS = new Set([
  ...HOP_BY_HOP,
  'server',
  'x-powered-by',
  // The gateway says these itself.
  'x-request-id',
  'x-content-type-options',
  'referrer-policy',
  'strict-transport-security',
  'ratelimit',
  'ratelimit-policy',
]);
const CORS_PREFIX = 'access-control-';

/**
 * The client's fields that an upstream may see, as name, value, name, value …. Everything by which services know
 * the caller or the way here is left out: the gateway says that itself.
 */
export function forwardedHeaders(headers: IncomingHttpHeaders): string[] {
  const named = namedByConnection(headers.connection);
  const forwarded: string[] = [];
  for (const name in headers) {
    if (WITHHELD_FROM_UPSTREAMS.has(name) || named?.has(name)) continue;
    if (name.startsWith(WITHHELD_PREFIX) || name.startsWith(PROXY_PREFIX)) continue;
    const value = headers[name];
    if (typeof value === 'string') forwarded.push(name, value);
    else if (value) for (const one of value) forwarded.push(name, one);
  }
  return forwarded;
}

/** Continues the client's trace, or begins one, and names the story that the request belongs to. */
export function addTrace(forwarded: string[], headers: IncomingHttpHeaders, requestId: string): void {
  const { traceparent, tracestate } = headers as { traceparent?: string; tracestate?: string };
  const correlationId = headers['x-correlation-id'];
  const story = isWellFormedId(correlationId) ? correlationId : requestId;
  forwarded.push('x-request-id', requestId, 'x-correlation-id', story);
  const isContinued = isTraceparent(traceparent);
  forwarded.push('traceparent', currentTraceparent() ?? (isContinued ? traceparent : newTraceparent()));
  if (isContinued && tracestate) forwarded.push('tracestate', tracestate);
}

/** Appends an upstream's fields to the answer, without what is of its connection, its software, or ours to say. */
export function appendAnswerHeaders(answer: string[], headers: IncomingHttpHeaders): void {
  const named = namedByConnection(headers.connection);
  const hasOwnPolicy = headers['content-security-policy'] !== undefined;
  if (!hasOwnPolicy) answer.push('content-security-policy', API_CONTENT_POLICY);
  for (const name in headers) {
    if (WITHHELD_FROM_CLIENTS.has(name) || named?.has(name) || name.startsWith(CORS_PREFIX)) continue;
    if (name.startsWith(WITHHELD_PREFIX)) continue;
    const value = headers[name];
    if (typeof value === 'string') answer.push(name, value);
    else if (value) for (const one of value) answer.push(name, one);
  }
}

/** Answers of the API are data: a browser that opens one runs nothing and frames nothing. */
export const API_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** The further fields that `Connection` declares to be of this hop; undefined for the usual values. */
function namedByConnection(connection: string | undefined): Set<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}
