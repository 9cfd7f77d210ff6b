import type { IncomingHttpHeaders } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { newId, type Actor, type Context } from '@atelier/kernel';
import { currentTraceparent, isTraceparent, newTraceparent } from '@atelier/observability';

/** What is read of a request; Fastify's has it. */
export interface IncomingRequest {
  readonly id?: unknown;
  readonly headers: IncomingHttpHeaders;
}

const WELL_FORMED_ID = /^[\w.:-]{1,64}$/;
const USER_AGENT_CHARS_MAX = 512;
const IP_ADDRESS = /^[0-9a-fA-F:.]{2,45}$/;

const contexts = new WeakMap<object, Context>();

/** The context of a request; undefined for routes outside the gateway. */
export const contextOf = (request: object): Context | undefined => contexts.get(request);

/** Puts the context on a request; the guard does, and the idempotency interceptor completes it. */
export function setContextOf(request: object, context: Context): void {
  contexts.set(request, context);
}

/** The ids, addresses and trace of a request, from the headers that the gateway sets. */
export function contextFrom(request: IncomingRequest, actor: Actor): Context {
  const { headers } = request;
  const requestId = validId(request.id) ?? validId(headers['x-request-id']) ?? newId('req');
  const header = single(headers.traceparent);
  const address = single(headers['x-forwarded-for'])?.split(',')[0]?.trim();
  return {
    actor,
    correlationId: validId(headers['x-correlation-id']) ?? validId(headers['x-request-id']) ?? requestId,
    causationId: requestId,
    traceparent: currentTraceparent() ?? (isTraceparent(header) ? header : newTraceparent()),
    ...(actor.tenantId ? { tenantId: actor.tenantId } : {}),
    ...(address && IP_ADDRESS.test(address) ? { ipAddress: address } : {}),
    ...(headers['user-agent'] ? { userAgent: headers['user-agent'].slice(0, USER_AGENT_CHARS_MAX) } : {}),
  };
}

/** `@Ctx() context: Context`: who asks, and as part of what. */
export const Ctx = createParamDecorator((_: unknown, execution: ExecutionContext): Context => {
  const context = contextOf(execution.switchToHttp().getRequest<object>());
  if (!context) throw new Error('@Ctx() on a route outside the gateway: there is no actor here');
  return context;
});

const single = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value);

function validId(value: unknown): string | undefined {
  const text = Array.isArray(value) ? (value[0] as unknown) : value;
  return isWellFormedId(text) ? text : undefined;
}

/** Whether a request or correlation id of somebody else may go into our headers and logs. */
export const isWellFormedId = (value: unknown): value is string =>
  typeof value === 'string' && WELL_FORMED_ID.test(value);
