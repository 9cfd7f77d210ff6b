import { Injectable } from '@nestjs/common';
import { Pool } from 'undici';
import { counter, gauge, Logger } from '@atelier/observability';
import { InjectConfig, ShutdownSequence } from '@atelier/service';
import { gatewayConfig, type GatewayConfig } from '../gateway.config.js';
import { overloaded, upstreamUnavailable } from '../edge/refusals.js';
import { UPSTREAM_NAMES, type Traffic, type UpstreamName } from '../routing/routes.js';
import { Breaker } from './breaker.js';

/** How a request to an upstream ended, as its metric says it. */
export type Outcome = 'answered' | 'timeout' | 'unreachable' | 'broken' | 'client_gone';

/** One lane to one upstream: its connections, and how many requests may be on it at once. */
interface Lane {
  readonly pool: Pool;
  readonly inFlightMax: number;
  inFlight: number;
}

/** One service behind the gateway. */
export class Upstream {
  private readonly breaker: Breaker;
  /** Event streams hold a connection for minutes; on a lane of their own they take none from requests. */
  private readonly lanes: Readonly<Record<'requests' | 'streams', Lane>>;

  constructor(
    readonly name: UpstreamName,
    url: string,
    config: GatewayConfig,
    logger: Logger,
  ) {
    const lane = (inFlightMax: number): Lane => ({
      // As many connections as requests: none waits inside the pool, where no time-out of ours would see it.
      pool: new Pool(url, {
        connections: inFlightMax,
        connectTimeout: config.CONNECT_TIMEOUT_MS,
        headersTimeout: 0,
        bodyTimeout: 0,
        allowH2: false,
      }),
      inFlightMax,
      inFlight: 0,
    });
    this.lanes = {
      requests: lane(config.UPSTREAM_IN_FLIGHT_MAX),
      streams: lane(config.UPSTREAM_STREAMS_MAX),
    };
    const open = gauge('atelier_gateway_breaker_open', 'Whether an upstream counts as unreachable.', [
      'upstream',
    ]);
    this.breaker = new Breaker(config.BREAKER_FAILURES_MAX, config.BREAKER_OPEN_MS, (isOpen) => {
      open.set({ upstream: name }, isOpen ? 1 : 0);
      logger.warn({ upstream: name }, isOpen ? 'the breaker opened' : 'the breaker closed');
    });
  }

  /**
   * A place for one request. Throws unavailable `gateway.upstream.unavailable` while the breaker is open, and
   * `gateway.overloaded` when the lane is full.
   */
  reserve(traffic: Traffic): Passage {
    const lane = this.lanes[traffic === 'stream' ? 'streams' : 'requests'];
    if (lane.inFlight >= lane.inFlightMax) throw overloaded();
    const nowMs = performance.now();
    if (!this.breaker.admit(nowMs))
      throw upstreamUnavailable(this.name, this.breaker.retryAfterSeconds(nowMs));
    lane.inFlight += 1;
    return new Passage(this.name, lane, this.breaker);
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.lanes).map(({ pool }) => pool.destroy()));
  }
}

const outcomes = counter(
  'atelier_gateway_upstream_requests_total',
  'Requests to upstreams, by how they ended.',
  ['upstream', 'outcome'],
);

/** The reserved place; it must be left, once. */
export class Passage {
  constructor(
    readonly upstream: UpstreamName,
    private readonly lane: Lane,
    private readonly breaker: Breaker,
  ) {}

  get pool(): Pool {
    return this.lane.pool;
  }

  /** The upstream began to answer: it is alive, whatever the answer says. */
  reached(): void {
    this.breaker.succeeded();
  }

  leave(outcome: Outcome): void {
    this.lane.inFlight -= 1;
    if (outcome === 'timeout' || outcome === 'unreachable') this.breaker.failed(performance.now());
    else if (outcome === 'client_gone') this.breaker.abandoned();
    outcomes.inc({ upstream: this.upstream, outcome });
  }
}

@Injectable()
export class Upstreams {
  private readonly byName: ReadonlyMap<UpstreamName, Upstream>;

  constructor(
    @InjectConfig(gatewayConfig) config: GatewayConfig,
    logger: Logger,
    shutdown: ShutdownSequence,
  ) {
    const urls = upstreamUrls(config);
    this.byName = new Map(
      UPSTREAM_NAMES.map((name) => [name, new Upstream(name, urls[name], config, logger)]),
    );
    shutdown.add('jobs', 'upstream connections', async () => {
      await Promise.all([...this.byName.values()].map((upstream) => upstream.close()));
    });
  }

  named(name: UpstreamName): Upstream {
    return this.byName.get(name)!;
  }
}

export const upstreamUrls = (config: GatewayConfig): Readonly<Record<UpstreamName, string>> => ({
  identity: config.IDENTITY_URL,
  catalog: config.CATALOG_URL,
  commerce: config.COMMERCE_URL,
  ledger: config.LEDGER_URL,
  studio: config.STUDIO_URL,
  analytics: config.ANALYTICS_URL,
  notifications: config.NOTIFICATIONS_URL,
});
