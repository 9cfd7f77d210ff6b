import { Injectable } from '@nestjs/common';
import { request } from 'undici';
import { HealthRegistry, InjectConfig, type HealthAnswer } from '@atelier/service';
import { gatewayConfig, type GatewayConfig } from '../gateway.config.js';
import { UPSTREAM_NAMES, type UpstreamName } from '../routing/routes.js';
import { upstreamUrls } from '../upstreams/upstreams.js';

const REASON_CHARS_MAX = 200;

/**
 * Asks each service whether it is ready. Probes and strangers share an answer for a short time, so that asking
 * the gateway does not multiply. The gateway stays ready while a service is away: the others still answer through
 * it, and taking all gateways out would make one outage seven.
 */
@Injectable()
export class UpstreamHealth {
  private readonly urls: Readonly<Record<UpstreamName, string>>;
  private readonly asked = new Map<
    UpstreamName,
    { readonly atMs: number; readonly answer: Promise<HealthAnswer> }
  >();

  constructor(
    @InjectConfig(gatewayConfig) private readonly config: GatewayConfig,
    health: HealthRegistry,
  ) {
    this.urls = upstreamUrls(config);
    for (const name of UPSTREAM_NAMES) health.add(name, () => this.ask(name), { readiness: false });
  }

  ask(name: UpstreamName): Promise<HealthAnswer> {
    const nowMs = performance.now();
    const last = this.asked.get(name);
    if (last && nowMs - last.atMs <= this.config.UPSTREAM_HEALTH_AGE_MS_MAX) return last.answer;
    const answer = this.read(name);
    this.asked.set(name, { atMs: nowMs, answer });
    return answer;
  }

  private async read(name: UpstreamName): Promise<HealthAnswer> {
    try {
      const signal = AbortSignal.timeout(this.config.UPSTREAM_HEALTH_TIMEOUT_MS);
      const { statusCode, body } = await request(`${this.urls[name]}/health/ready`, { signal });
      const document = await body.json().catch(() => undefined);
      if (statusCode === 200) return { up: true };
      return { up: false, reason: reasonOf(document) ?? `HTTP ${statusCode}` };
    } catch (error) {
      // Never the error's own words: they name the address.
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      return { up: false, reason: isLate ? 'no answer in time' : 'not reachable' };
    }
  }
}

/** Terminus lists what is down under `error`. */
function reasonOf(document: unknown): string | undefined {
  if (!isRecord(document) || !isRecord(document.error)) return undefined;
  const parts = Object.entries(document.error).map(([name, state]) =>
    isRecord(state) && typeof state.message === 'string' ? `${name}: ${state.message}` : name,
  );
  return parts.length > 0 ? parts.join(', ').slice(0, REASON_CHARS_MAX) : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
