import type { FastifyInstance } from 'fastify';
import { contextOf } from '@atelier/auth';
import { histogram, type Logger, runInContext } from '@atelier/observability';

const UNLOGGED = /^\/(?:health|metrics)\b/;

/** Rate, errors and duration of every route, the access log, and a warning for slow requests. */
export function recordRequests(
  fastify: FastifyInstance,
  service: string,
  logger: Logger,
  slowMs: number,
): void {
  const durations = histogram('atelier_http_request_duration_seconds', 'How long requests took to answer.', [
    'service',
    'method',
    'route',
    'status',
  ]);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    done();
    const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown');
    if (UNLOGGED.test(route)) return;
    const elapsedMs = reply.elapsedTime;
    const { method } = request;
    durations.observe({ service, method, route, status: String(reply.statusCode) }, elapsedMs / 1000);
    const fields = {
      requestId: request.id,
      method,
      route,
      status: reply.statusCode,
      elapsedMs: Math.round(elapsedMs),
    };
    // A stream of events is slow by nature.
    const streams = String(reply.getHeader('content-type')).startsWith('text/event-stream');
    const write = () =>
      elapsedMs > slowMs && !streams ? logger.warn(fields, 'slow request') : logger.debug(fields, 'request');
    const context = contextOf(request);
    if (context) runInContext(context, write);
    else write();
  });
}
