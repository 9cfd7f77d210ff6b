import { PROBLEM_CONTENT_TYPE, problemOf, retryAfterOf } from '@atelier/service';
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
  const { request, response, requestId } = visit;
  const retryAfter = retryAfterOf(error);
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
  if (retryAfter !== undefined) headers.push('retry-after', retryAfter);
  if (problem.status === 401) headers.push('www-authenticate', challenge(problem.code));
  response.writeHead(problem.status, headers);
  endAnswer(visit, body);
}

/**
 * Ends an answer, with what is still to be said. The end closes the connection of a client that asks for that, and
 * one that is still sending would be reset before it reads: there the rest of the body is taken in first.
 */
export function endAnswer({ request, response }: Visit, rest?: Buffer): void {
  if (request.complete || response.shouldKeepAlive) {
    response.end(rest);
    return;
  }
  if (rest) response.write(rest);
  request.once('close', () => response.end());
}

/** RFC 6750: a request without a token is told only the scheme, one with a bad token also why. */
const challenge = (code: string): string =>
  code === 'gateway.token.missing' ? 'Bearer' : `Bearer error="invalid_token", error_description="${code}"`;
