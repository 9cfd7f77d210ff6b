import { DomainError } from '@atelier/kernel';
import { PROBLEM_CONTENT_TYPE, problemOf } from '@atelier/service';
import { API_CONTENT_POLICY } from '../forwarding/headers.js';
import type { Visit } from '../forwarding/visit.js';

/** A year; browsers heed it only over TLS. */
const HSTS = 'max-age=31536000; includeSubDomains';

/** What each answer says to browsers, whoever made it. The content policy depends on the answer. */
export const SECURITY_HEADERS: readonly string[] = [
  'x-content-type-options',
  'nosniff',
  'referrer-policy',
  'no-referrer',
  'strict-transport-security',
  HSTS,
];

/** Answers a visit with the problem of an error, in the shape that the services give. */
export function answerProblem(visit: Visit, error: unknown): void {
  const { request, response, requestId, route } = visit;
  const problem = problemOf(error, { id: requestId, url: request.url ?? '/' });
  const body = Buffer.from(JSON.stringify(problem));
  const headers = [
    ...visit.answerHeaders,
    'content-security-policy',
    API_CONTENT_POLICY,
    'content-type',
    PROBLEM_CONTENT_TYPE,
    'content-length',
    String(body.length),
    'cache-control',
    'no-store',
  ];
  if (error instanceof DomainError && error.retryAfterSeconds !== undefined)
    headers.push('retry-after', String(Math.max(1, Math.ceil(error.retryAfterSeconds))));
  if (problem.status === 401) headers.push('www-authenticate', challenge(problem.code, route.access));
  response.writeHead(problem.status, headers);
  response.end(body);
}

/** RFC 6750: a request without a token is told only the scheme, one with a bad token also why. */
const challenge = (code: string, access: Visit['route']['access']): string =>
  code === 'gateway.token.missing' || access === 'anonymous'
    ? 'Bearer'
    : `Bearer error="invalid_token", error_description="${code}"`;
