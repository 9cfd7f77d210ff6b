import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import CircuitBreaker from 'opossum';
import { Agent, request, type Dispatcher } from 'undici';
import { z } from 'zod';
import { ACTOR_HEADER, type ActorSigner } from '@atelier/auth';
import { DomainError, ERROR_STATUS, type Context, type ErrorKind } from '@atelier/kernel';
import { currentTraceparent, histogram, SpanKind, withSpan } from '@atelier/observability';

const BODY_BYTES_MAX = 1_048_576;
const CONNECTIONS_MAX = 64;
const KEEP_ALIVE_MS = 10_000;
const RETRY_JITTER_MS = 100;
const RETRY_AFTER_SECONDS = 2;
/** All but those by which a call that was in order is asked to come again. */
const ABOUT_OUR_CALL = /^platform\.(?!transaction\.|idempotency\.in_flight$)/;

export interface BreakerOptions {
  /** Share of failed calls that opens the breaker. */
  readonly errorPercentMax: number;
  /** Calls within the window before the share counts. */
  readonly callsMin: number;
  /** How long it stays open before one call may try. */
  readonly resetMs: number;
}

const DEFAULT_BREAKER: BreakerOptions = { errorPercentMax: 50, callsMin: 10, resetMs: 5_000 };

export interface ServiceClientOptions {
  /** The service that is called: `ledger`. Its refusals keep their codes; its absence is `ledger.unavailable`. */
  readonly name: string;
  readonly baseUrl: string;
  /** Signs as the calling service. */
  readonly signer: ActorSigner;
  /** For one attempt, from connecting to the last byte. */
  readonly timeoutMs: number;
  /** Further attempts, for calls that may be repeated. */
  readonly retries: number;
  readonly breaker?: BreakerOptions;
}

export interface ServiceCall<Schema extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** What the answer must be. */
  readonly schema: Schema;
  readonly context: Context;
  /** Makes a call other than GET repeatable: the other side answers a repeat with the first answer. */
  readonly idempotencyKey?: string;
}

interface Answer {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly body: unknown;
}

const durations = histogram(
  'atelier_service_call_duration_seconds',
  'How long calls to other services took.',
  ['target', 'outcome'],
);

/** A synchronous call to another service: with a time-out, bounded retries, a circuit breaker, and its refusals. */
export class ServiceClient {
  private readonly agent = new Agent({ connections: CONNECTIONS_MAX, keepAliveTimeout: KEEP_ALIVE_MS });
  private readonly log = new Logger(ServiceClient.name);
  private readonly breaker: CircuitBreaker<[call: ServiceCall<z.ZodType>], Answer>;

  constructor(private readonly options: ServiceClientOptions) {
    const { errorPercentMax, callsMin, resetMs } = options.breaker ?? DEFAULT_BREAKER;
    this.breaker = new CircuitBreaker((call) => this.send(call), {
      name: options.name,
      timeout: false,
      errorThresholdPercentage: errorPercentMax,
      volumeThreshold: callsMin,
      resetTimeout: resetMs,
    });
  }

  /**
   * Throws the other side's refusal as a DomainError with the same code, kind and members; unavailable
   * `<name>.unavailable` when it cannot be had in time, or does not take us for who we are; an Error when its answer breaks the contract.
   */
  async call<Schema extends z.ZodType>(call: ServiceCall<Schema>): Promise<z.infer<Schema>> {
    const name = `${this.options.name} ${call.method}`;
    const answer = await withSpan(name, { 'peer.service': this.options.name }, () => this.attempts(call), {
      kind: SpanKind.CLIENT,
    });
    if (answer.status >= 400) throw this.refusalOf(answer);
    return call.schema.parse(answer.body);
  }

  /** Closes the connections and the breaker's timers. */
  async close(): Promise<void> {
    this.breaker.shutdown();
    await this.agent.close();
  }

  private async attempts(call: ServiceCall<z.ZodType>): Promise<Answer> {
    const repeatable = call.method === 'GET' || call.idempotencyKey !== undefined;
    const attemptsMax = 1 + (repeatable ? this.options.retries : 0);
    for (let attempt = 1; ; attempt++) {
      const stop = durations.startTimer({ target: this.options.name });
      try {
        const answer = await this.breaker.fire(call);
        stop({ outcome: answer.status < 400 ? 'done' : 'refused' });
        return answer;
      } catch (error) {
        const open = error instanceof Error && CircuitBreaker.isOurError(error);
        stop({ outcome: open ? 'breaker_open' : 'failed' });
        if (open || attempt >= attemptsMax) throw this.unavailable(error);
        await sleep(Math.random() * RETRY_JITTER_MS * 2 ** attempt);
      }
    }
  }

  /** One attempt. Throws for everything that says the other side is in trouble; a refusal is an answer. */
  private async send(call: ServiceCall<z.ZodType>): Promise<Answer> {
    const { baseUrl, timeoutMs } = this.options;
    const response = await request(new URL(call.path, baseUrl), {
      method: call.method,
      headers: await this.headersOf(call),
      body: call.body === undefined ? null : JSON.stringify(call.body),
      dispatcher: this.agent,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await readText(response.body, BODY_BYTES_MAX);
    if (response.statusCode >= 500) throw new Error(`${this.options.name} answered ${response.statusCode}`);
    const retryAfterSeconds = Number(response.headers['retry-after']) || undefined;
    return {
      status: response.statusCode,
      retryAfterSeconds,
      body: text === '' ? undefined : parseJson(text),
    };
  }

  private async headersOf({
    context,
    body,
    idempotencyKey,
  }: ServiceCall<z.ZodType>): Promise<Record<string, string>> {
    const { signer } = this.options;
    const traceparent = currentTraceparent() ?? context.traceparent;
    return {
      accept: 'application/json',
      [ACTOR_HEADER]: await signer.sign({ kind: 'service', id: signer.issuer }),
      'x-correlation-id': context.correlationId,
      ...(traceparent ? { traceparent } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    };
  }

  /** A refusal by the platform and not by the service's rules is about our call: nothing that its user did. */
  private refusalOf({ status, body, retryAfterSeconds }: Answer): Error {
    const kind = KIND_OF_STATUS.get(status);
    const problem = problemSchema.safeParse(body);
    if (!kind || !problem.success)
      return new Error(`${this.options.name} answered ${status} without a known problem`);
    const { code, detail, errors, ...rest } = problem.data;
    if (ABOUT_OUR_CALL.test(code)) {
      const cause = new Error(`${this.options.name} refused our own call: ${status} ${code}: ${detail}`);
      this.log.error(cause);
      return this.unavailable(cause);
    }
    const extra = Object.fromEntries(
      Object.entries(rest).filter(([member]) => !STANDARD_MEMBERS.has(member)),
    );
    return new DomainError({
      kind,
      code,
      detail,
      ...(errors ? { errors } : {}),
      ...(Object.keys(extra).length > 0 ? { extra } : {}),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }

  private unavailable(cause: unknown): DomainError {
    const { name } = this.options;
    return new DomainError({
      kind: 'unavailable',
      code: `${name}.unavailable`,
      detail: `The ${name} service cannot answer now. Try again shortly.`,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      cause,
    });
  }
}

const KIND_OF_STATUS = new Map(
  Object.entries(ERROR_STATUS).map(([kind, status]) => [status as number, kind as ErrorKind]),
);
const STANDARD_MEMBERS = new Set(['type', 'title', 'status', 'instance', 'requestId']);

const problemSchema = z.looseObject({
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});

/** The body of an answer. Throws when it is larger than that. */
export async function readText(body: Dispatcher.ResponseData['body'], bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new Error(`the answer is larger than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
