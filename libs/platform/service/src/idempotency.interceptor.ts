import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { defer, from, lastValueFrom, type Observable } from 'rxjs';
import { contextOf, setContextOf } from '@atelier/auth';
import { DomainError, type Context } from '@atelier/kernel';
import { Logger } from '@atelier/observability';
import { ServiceConfig } from './config.js';
import {
  fingerprintKey,
  IDEMPOTENCY_LEASE_MS,
  IDEMPOTENCY_RENEWALS_PER_LEASE,
  IDEMPOTENCY_TTL_MS,
  IDEMPOTENT,
  idempotencySeed,
  IdempotencyStore,
  requestHash,
  type IdempotentOptions,
  type StoredAnswer,
} from './idempotency.js';
import { findOptional } from './optional-provider.js';
import { PROBLEM_CONTENT_TYPE, problemOf } from './problem.js';

const KEY = /^[\x20-\x7e]{1,255}$/;
const KEPT_HEADERS = ['location', 'etag', 'link', 'content-type'];
/** Refusals that say "not now", as all do that name a time: a repeat must be allowed to fare better. */
const PASSING_STATUSES = new Set([401, 408, 429]);
const PASSING_CODE = 'platform.version.conflict';
/** A request at work is soon done, and the key of a dead one soon free. */
const IN_FLIGHT_RETRY_SECONDS = 1;

/** Runs an `@Idempotent()` handler once per caller, route and key, and answers repeats with the first answer. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly fingerprintKey: Buffer;

  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
    @Inject(Logger) private readonly logger: Logger,
    @Inject(ServiceConfig) { ACTOR_SECRET, SERVICE_NAME }: ServiceConfig,
  ) {
    this.fingerprintKey = fingerprintKey(ACTOR_SECRET, SERVICE_NAME);
  }

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (execution.getType() !== 'http') return next.handle();
    const options = this.reflector.get<IdempotentOptions | undefined>(IDEMPOTENT, execution.getHandler());
    if (!options) return next.handle();
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    const key = keyOf(request, options);
    if (key === undefined) return next.handle();
    const context = contextOf(request);
    const store = findOptional(this.modules, IdempotencyStore);
    if (!context || !store) throw new Error('@Idempotent() needs an actor and an IdempotencyStore');
    const reply = execution.switchToHttp().getResponse<FastifyReply>();
    return defer(() => from(this.run({ store, request, reply, context, key }, next)));
  }

  private async run(call: Call, next: CallHandler): Promise<unknown> {
    const { store, request, reply, context, key } = call;
    const seed = idempotencySeed(context, request, key);
    const fingerprint = requestHash(request, this.fingerprintKey);
    const begun = await store.begin(seed, fingerprint, IDEMPOTENCY_TTL_MS, IDEMPOTENCY_LEASE_MS);
    if (begun.state === 'mismatch') throw keyReused();
    if (begun.state === 'in_flight') throw inFlight();
    if (begun.state === 'replay') return replay(reply, begun);
    setContextOf(request, { ...context, idempotency: { seed, firstSeenAt: begun.firstSeenAt } });
    const { run } = begun;
    const heartbeat = this.keep(store, seed, run);
    let result: unknown;
    try {
      result = await lastValueFrom(next.handle(), { defaultValue: undefined });
    } catch (error) {
      await this.settle(call, seed, run, isLasting(error) ? refused(error, request) : undefined);
      throw error;
    } finally {
      clearInterval(heartbeat);
    }
    await this.settle(call, seed, run, {
      status: reply.statusCode,
      headers: keptHeaders(reply),
      body: textOf(result),
    });
    return result;
  }

  /** While the request is at work its key is not free; when the process dies it soon is. */
  private keep(store: IdempotencyStore, seed: string, run: string): NodeJS.Timeout {
    return setInterval(() => {
      store.renew(seed, run, IDEMPOTENCY_LEASE_MS).catch((err: unknown) => {
        this.logger.warn({ err, seed }, 'an idempotency key could not be renewed');
      });
    }, IDEMPOTENCY_LEASE_MS / IDEMPOTENCY_RENEWALS_PER_LEASE);
  }

  /** The effect stands whether or not the answer could be kept: a repeat then finds it by its derived ids. */
  private async settle(
    { store }: Call,
    seed: string,
    run: string,
    answer: StoredAnswer | undefined,
  ): Promise<void> {
    try {
      await (answer ? store.complete(seed, run, answer) : store.abandon(seed, run));
    } catch (err) {
      this.logger.error({ err, seed }, 'an idempotency key could not be settled');
    }
  }
}

interface Call {
  readonly store: IdempotencyStore;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly context: Context;
  readonly key: string;
}

function keyOf(request: FastifyRequest, options: IdempotentOptions): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined && !options.required) return undefined;
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new DomainError({
    kind: 'invalid',
    code: key === undefined ? 'platform.idempotency.key_required' : 'platform.idempotency.key_invalid',
    detail: 'Send an Idempotency-Key of 1 to 255 printable characters, one per intent.',
  });
}

const keyReused = () =>
  new DomainError({
    kind: 'unprocessable',
    code: 'platform.idempotency.key_reused',
    detail: 'This Idempotency-Key was used with another request. Use a new key.',
  });

const inFlight = () =>
  new DomainError({
    kind: 'conflict',
    code: 'platform.idempotency.in_flight',
    detail: 'The first request with this Idempotency-Key is still running. Repeat it shortly.',
    retryAfterSeconds: IN_FLIGHT_RETRY_SECONDS,
  });

const isLasting = (error: unknown): error is DomainError =>
  error instanceof DomainError &&
  error.status < 500 &&
  error.retryAfterSeconds === undefined &&
  !PASSING_STATUSES.has(error.status) &&
  error.code !== PASSING_CODE;

const refused = (error: DomainError, request: FastifyRequest): StoredAnswer => ({
  status: error.status,
  headers: { 'content-type': PROBLEM_CONTENT_TYPE },
  body: JSON.stringify(problemOf(error, request)),
});

const textOf = (result: unknown): string | null => (result === undefined ? null : JSON.stringify(result));

function keptHeaders(reply: FastifyReply): Record<string, string> {
  const kept = KEPT_HEADERS.map((name) => [name, reply.getHeader(name)] as const);
  return Object.fromEntries(
    kept.filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]),
  );
}

function replay(reply: FastifyReply, answer: StoredAnswer): unknown {
  reply.status(answer.status).headers(answer.headers).header('idempotency-replayed', 'true');
  if (typeof answer.body !== 'string') return undefined;
  const contentType = answer.headers['content-type'];
  // Problems go out as the text they were: the serializer knows only application/json.
  if (contentType === PROBLEM_CONTENT_TYPE) return answer.body;
  return JSON.parse(answer.body) as unknown;
}
