import { randomBytes, randomUUID } from 'node:crypto';

const REQUEST_TIMEOUT_MS = 15_000;
/**
 * A good client repeats what the platform could not take just now, with the same key, for at most this long: longer
 * than the key of a request whose service was killed stays in flight (10 s), and the service takes to come back.
 */
const REPEAT_MS_MAX = 60_000;
const REPEAT_PAUSE_MS = 500;

export interface Answer {
  readonly status: number;
  readonly etag: string | null;
  /** Only with what a repeat may bring. */
  readonly retryAfter: string | null;
  // why: the story reads what the public API answers; a wrong shape fails its next step.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly sent: unknown;
  readonly answer: Answer;
}

/** The public API as a client has it: only the gateway, one trace for the whole story. */
export class Api {
  readonly traceId = randomBytes(16).toString('hex');

  constructor(
    private readonly gatewayUrl: string,
    private readonly onExchange: (exchange: Exchange) => void = () => undefined,
  ) {}

  /** One request. `path` is below /api/v1, or a whole URL of the gateway. Creating requests carry a key. */
  async request(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    options: { token?: string; body?: unknown; headers?: Record<string, string>; quiet?: boolean } = {},
  ): Promise<Answer> {
    const key = randomUUID();
    const deadline = Date.now() + REPEAT_MS_MAX;
    for (;;) {
      const answer = await this.once(method, path, options, key).catch((error: unknown) => {
        if (Date.now() > deadline) throw error;
        return undefined;
      });
      if (answer && (!isPassing(answer) || Date.now() > deadline)) {
        const { body } = options;
        const sent = body instanceof FormData ? '(a picture)' : body;
        if (!options.quiet) this.onExchange({ method, path, sent, answer });
        return answer;
      }
      await new Promise((resolve) => setTimeout(resolve, REPEAT_PAUSE_MS));
    }
  }

  private async once(
    method: string,
    path: string,
    options: Parameters<Api['request']>[2] & object,
    key: string,
  ): Promise<Answer> {
    const { body } = options;
    const form = body instanceof FormData;
    const response = await fetch(path.startsWith('http') ? path : `${this.gatewayUrl}/api/v1${path}`, {
      method,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      headers: {
        traceparent: `00-${this.traceId}-${randomBytes(8).toString('hex')}-01`,
        ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
        ...(method === 'POST' ? { 'idempotency-key': key } : {}),
        ...(body !== undefined && !form ? { 'content-type': 'application/json' } : {}),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return {
      status: response.status,
      etag: response.headers.get('etag'),
      retryAfter: response.headers.get('retry-after'),
      body: isJson ? (JSON.parse(text) as unknown) : text,
    };
  }

  /** The same, and anything but the expected status ends the story with what was answered. */
  async expect(
    status: number,
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    options: Parameters<Api['request']>[2] = {},
  ): Promise<Answer['body']> {
    const answer = await this.request(method, path, options);
    if (answer.status !== status) {
      throw new Error(
        `${method} ${path} answered ${answer.status}, not ${status}: ${JSON.stringify(answer.body)}`,
      );
    }
    return answer.body;
  }
}

/** Trouble that passes, also where no Retry-After says so. */
const isPassing = ({ status, retryAfter }: Answer): boolean =>
  retryAfter !== null || [502, 503, 504].includes(status);

const POLL_MS = 100;

/** Asks until the answer is as wanted; what the product promises soon, but not at once. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
