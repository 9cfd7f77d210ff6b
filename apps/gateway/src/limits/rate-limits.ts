import { Injectable } from '@nestjs/common';
import { InjectConfig } from '@atelier/service';
import { tooManyRequests } from '../edge/refusals.js';
import { gatewayConfig, type GatewayConfig } from '../gateway.config.js';
import type { RateClass } from '../routing/routes.js';
import { TokenBuckets } from './token-buckets.js';

/** The limits of this process. Several replicas each give the whole quota. */
@Injectable()
export class RateLimits {
  private readonly classes: Readonly<Record<RateClass, TokenBuckets>>;
  private readonly badTokens: TokenBuckets;

  constructor(@InjectConfig(gatewayConfig) config: GatewayConfig) {
    const callersMax = config.RATE_CALLERS_MAX;
    const buckets = (name: string, burst: number, perMinute: number) =>
      new TokenBuckets(name, { burst, perMinute, callersMax });
    this.classes = {
      api: buckets('api', config.RATE_API_BURST, config.RATE_API_PER_MINUTE),
      auth: buckets('auth', config.RATE_AUTH_BURST, config.RATE_AUTH_PER_MINUTE),
      webhook: buckets('webhook', config.RATE_WEBHOOK_BURST, config.RATE_WEBHOOK_PER_MINUTE),
    };
    this.badTokens = buckets('bad-token', config.RATE_BAD_TOKEN_BURST, config.RATE_BAD_TOKEN_PER_MINUTE);
  }

  /** Counts one request and adds the limit's fields to its answer. Throws `gateway.rate_limit.exceeded`. */
  take(rate: RateClass, caller: string, answerHeaders: string[]): void {
    const buckets = this.classes[rate];
    const { isAllowed, field, retryAfterSeconds } = buckets.take(caller, performance.now());
    answerHeaders.push('ratelimit-policy', buckets.policy, 'ratelimit', field);
    if (!isAllowed) throw tooManyRequests(retryAfterSeconds);
  }

  /** Throws `gateway.rate_limit.exceeded` where too many bad tokens came from: checking one costs us a signature. */
  refuseGuessing(network: string): void {
    const waitSeconds = this.badTokens.waitSeconds(network, performance.now());
    if (waitSeconds > 0) throw tooManyRequests(waitSeconds);
  }

  countBadToken(network: string): void {
    this.badTokens.take(network, performance.now());
  }
}
