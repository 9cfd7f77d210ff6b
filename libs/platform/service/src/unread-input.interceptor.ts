import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { unreadInput } from './validation.js';

interface Reads {
  readonly body: boolean;
  readonly query: boolean;
}

const READS_BODY = Symbol('reads the body');

/** For a parameter decorator of one's own that takes the body, as `createParamDecorator(…, [readsBody])`. */
export const readsBody = (controller: object, method: string | symbol | undefined): void => {
  Reflect.defineMetadata(READS_BODY, true, controller.constructor, method!);
};

/**
 * Refuses a body or a query that no argument of the route reads, where a schema cannot: whoever sends a field expects
 * that it does something. The answer is the same 400 `platform.request.invalid`, after what any guard has to say.
 */
@Injectable()
export class UnreadInputInterceptor implements NestInterceptor {
  private readonly known = new Map<unknown, Reads>();

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const { body, query } = context.switchToHttp().getRequest<FastifyRequest>();
    const reads = this.readsOf(context);
    if (!reads.body && isSomething(body)) throw unreadInput('body', body);
    if (!reads.query && isSomething(query)) throw unreadInput('query', query);
    return next.handle();
  }

  private readsOf(context: ExecutionContext): Reads {
    const handler = context.getHandler();
    const known = this.known.get(handler);
    if (known) return known;
    const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), handler.name) ?? {}) as object;
    const types = new Set(Object.keys(args).map((key) => Number(key.split(':', 1)[0])));
    const whole = types.has(RouteParamtypes.REQUEST);
    const bodies = [RouteParamtypes.BODY, RouteParamtypes.RAW_BODY];
    const reads = {
      body:
        whole ||
        bodies.some((type) => types.has(type)) ||
        Reflect.hasMetadata(READS_BODY, context.getClass(), handler.name),
      query: whole || types.has(RouteParamtypes.QUERY),
    };
    this.known.set(handler, reads);
    return reads;
  }
}

/** An empty object is what many clients send for nothing. */
const isSomething = (input: unknown): boolean =>
  typeof input === 'object' && input !== null
    ? Object.keys(input).length > 0
    : input !== undefined && input !== null;
