import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DomainError, type FieldError } from '@atelier/kernel';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** RFC 9457. Clients switch on `code`; `type` is the same as a URN. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly requestId: string;
  readonly errors?: readonly FieldError[];
  readonly [extra: string]: unknown;
}

export interface ProblemSource {
  readonly id: string;
  /** With or without its query string, which never reaches the document: it may hold secrets. */
  readonly url: string;
}

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** What is refused before a handler runs, by status. */
export const PLATFORM_REFUSALS = {
  400: ['platform.request.malformed', 'The request is malformed.'],
  401: ['platform.request.unauthenticated', 'Sign in first.'],
  403: ['platform.request.forbidden', 'You may not do this.'],
  404: ['platform.request.not_found', 'There is no such resource.'],
  405: ['platform.request.method_not_allowed', 'This resource does not take this method; see Allow.'],
  406: ['platform.request.not_acceptable', 'This resource has no representation that you accept.'],
  408: ['platform.request.timeout', 'The request took too long to arrive.'],
  413: ['platform.request.body_too_large', 'The request body is larger than this resource takes.'],
  414: ['platform.request.uri_too_long', 'The path or query is too long.'],
  415: ['platform.request.unsupported_media_type', 'Send application/json.'],
  429: ['platform.request.too_many', 'Too many requests. Wait and try again.'],
  431: ['platform.request.headers_too_large', 'The request headers are too large.'],
  503: ['platform.request.unavailable', 'This service cannot answer now. Try again shortly.'],
} as const satisfies Readonly<Record<number, readonly [code: string, detail: string]>>;
const REFUSALS: Readonly<Record<number, readonly [code: string, detail: string]>> = PLATFORM_REFUSALS;

const MALFORMED: Readonly<Record<string, string>> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The request body is empty, and JSON was announced.',
  FST_ERR_CTP_INVALID_JSON_BODY: 'The request body is not valid JSON.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The request body is not as long as Content-Length says.',
  FST_ERR_BAD_URL: 'The path is not a valid URL.',
};

const INTERNAL: Refusal = {
  status: 500,
  code: 'platform.internal',
  detail: 'Something went wrong on our side. Name the requestId when you report it.',
};

/** The problem document of an error. What is not a refusal is told as 500, without any word of its own. */
export function problemOf(error: unknown, request: ProblemSource): Problem {
  const refusal = refusalOf(error);
  return {
    ...refusal.extra,
    type: `urn:atelier:problem:${refusal.code}`,
    title: STATUS_CODES[refusal.status] ?? 'Error',
    status: refusal.status,
    detail: refusal.detail,
    instance: request.url.split('?', 1)[0] ?? '/',
    code: refusal.code,
    requestId: request.id,
    ...(refusal.errors ? { errors: refusal.errors } : {}),
  };
}

/** Answers with the problem of an error, and the headers that belong to it. */
export function sendProblem(error: unknown, request: ProblemSource, reply: FastifyReply): void {
  const problem = problemOf(error, request);
  const retryAfter = retryAfterOf(error);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  reply
    .status(problem.status)
    .header('x-request-id', request.id)
    .header('content-type', PROBLEM_CONTENT_TYPE)
    .send(JSON.stringify(problem));
}

/** The `Retry-After` of an error, in whole seconds. */
export const retryAfterOf = (error: unknown): string | undefined =>
  error instanceof DomainError && error.retryAfterSeconds !== undefined
    ? String(Math.max(1, Math.ceil(error.retryAfterSeconds)))
    : undefined;

function refusalOf(error: unknown): Refusal {
  if (error instanceof DomainError)
    return {
      status: error.status,
      code: error.code,
      detail: error.message,
      ...(error.errors ? { errors: error.errors } : {}),
      ...(error.extra ? { extra: error.extra } : {}),
    };
  if (error instanceof SyntaxError && 'statusCode' in error && error.statusCode === 400)
    return { status: 400, code: 'platform.request.malformed', detail: 'The request body is not valid JSON.' };
  const status = statusOf(error);
  const known = REFUSALS[status];
  if (!known) return status >= 400 && status < 500 ? unnamed(status) : INTERNAL;
  const [code, detail] = known;
  return { status, code, detail: MALFORMED[fastifyCode(error) ?? ''] ?? detail };
}

const unnamed = (status: number): Refusal => ({
  status,
  code: 'platform.request.refused',
  detail: STATUS_CODES[status] ?? 'The request was refused.',
});

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500;
  if ('name' in error && error.name === 'FastifyError') return Number(error.statusCode);
  // The client broke off while its body was read: Fastify passes the socket's own error on, with its status.
  return 'code' in error && error.code === 'ECONNRESET' && error.statusCode === 400 ? 400 : 500;
}

/** Nest wraps Fastify's errors and keeps them as the cause. */
function fastifyCode(error: unknown): string | undefined {
  const source = error instanceof HttpException ? error.cause : error;
  return source instanceof Error && 'code' in source ? String(source.code) : undefined;
}
