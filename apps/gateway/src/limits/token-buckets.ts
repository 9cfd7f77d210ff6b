import { LRUCache } from 'lru-cache';

const MINUTE_MS = 60_000;

export interface Taken {
  readonly isAllowed: boolean;
  /** The `RateLimit` field of the answer (draft-ietf-httpapi-ratelimit-headers). */
  readonly field: string;
  readonly retryAfterSeconds: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export interface RatePolicy {
  readonly burst: number;
  readonly perMinute: number;
  readonly callersMax: number;
}

/** One token bucket per caller: `burst` requests at once, and `perMinute` after that. Bounded: the least recent caller is forgotten. */
export class TokenBuckets {
  /** The `RateLimit-Policy` field: the quota, and the seconds in which all of it comes back. */
  readonly policy: string;
  private readonly buckets: LRUCache<string, Bucket>;
  private readonly tokensPerMs: number;

  constructor(
    private readonly name: string,
    private readonly options: RatePolicy,
  ) {
    this.tokensPerMs = options.perMinute / MINUTE_MS;
    this.buckets = new LRUCache({ max: options.callersMax });
    this.policy = `"${name}";q=${options.burst};w=${this.secondsFor(options.burst)}`;
  }

  /** Takes one token. `nowMs` is of a clock that never goes back. */
  take(caller: string, nowMs: number): Taken {
    let bucket = this.buckets.get(caller);
    if (bucket) this.refill(bucket, nowMs);
    else this.buckets.set(caller, (bucket = { tokens: this.options.burst, atMs: nowMs }));
    const isAllowed = bucket.tokens >= 1;
    if (isAllowed) bucket.tokens -= 1;
    const remaining = Math.floor(bucket.tokens);
    return {
      isAllowed,
      field: `"${this.name}";r=${remaining};t=${this.secondsFor(this.options.burst - bucket.tokens)}`,
      retryAfterSeconds: isAllowed ? 0 : this.secondsFor(1 - bucket.tokens),
    };
  }

  /** Seconds until there is a token; 0 when there is one. Takes none. */
  waitSeconds(caller: string, nowMs: number): number {
    const bucket = this.buckets.get(caller);
    if (!bucket) return 0;
    this.refill(bucket, nowMs);
    return bucket.tokens >= 1 ? 0 : this.secondsFor(1 - bucket.tokens);
  }

  private refill(bucket: Bucket, nowMs: number): void {
    bucket.tokens = Math.min(this.options.burst, bucket.tokens + (nowMs - bucket.atMs) * this.tokensPerMs);
    bucket.atMs = nowMs;
  }

  private secondsFor(tokens: number): number {
    return Math.max(1, Math.ceil(tokens / this.tokensPerMs / 1_000));
  }
}
