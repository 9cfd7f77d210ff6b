import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { contextOf } from '@atelier/auth';
import { DomainError } from '@atelier/kernel';
import { Logger, runInContext } from '@atelier/observability';
import { probes } from './probes.js';
import { problemOf, sendProblem } from './problem.js';
import { RouteTable } from './route-table.js';

const OUTAGE_RETRY_SECONDS = 2;

/** Every error of every route, as problem+json. Faults are logged with their stack, and told without. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    @Inject(Logger) private readonly logger: Logger,
    @Inject(RouteTable) private readonly routes: RouteTable,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    // A consumer's errors belong to the runner, which retries or buries the message.
    if (host.getType() !== 'http') throw thrown;
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = this.methodNotAllowed(thrown, request, reply) ?? databaseAway(thrown) ?? thrown;
    const { status } = problemOf(error, request);
    if (status >= 500) this.report(error, status, request);
    if (reply.sent || reply.raw.headersSent) {
      // A stream broke half-way: cutting the connection is the only way left to say so.
      reply.raw.destroy();
      return;
    }
    sendProblem(error, request, reply);
  }

  private methodNotAllowed(
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): HttpException | undefined {
    if (!request.is404 || !(error instanceof HttpException) || error.getStatus() !== 404) return undefined;
    const methods = this.routes.methodsOf(request.url);
    if (methods.length === 0) return undefined;
    reply.header('allow', methods.join(', '));
    return new HttpException('method not allowed', 405);
  }

  private report(err: unknown, status: number, request: FastifyRequest): void {
    const fields = { err, requestId: request.id, method: request.method, route: request.routeOptions.url };
    const context = contextOf(request);
    const write = () =>
      status === 503
        ? this.logger.warn(fields, 'unavailable')
        : this.logger.error(fields, 'a request failed');
    if (context) runInContext(context, write);
    else write();
  }
}

const databaseAway = (thrown: unknown): DomainError | undefined =>
  thrown instanceof DomainError || !probes.isOutage(thrown)
    ? undefined
    : new DomainError({
        kind: 'unavailable',
        code: 'platform.database.unavailable',
        detail:
          'The database cannot be reached now. Repeat the request shortly, with the same Idempotency-Key.',
        retryAfterSeconds: OUTAGE_RETRY_SECONDS,
        cause: thrown,
      });
