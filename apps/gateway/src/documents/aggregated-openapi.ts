import type { OpenAPIObject } from '@nestjs/swagger';
import { request } from 'undici';
import type { Logger } from '@atelier/observability';
import { OpenApiDocument } from '@atelier/service';
import { upstreamUrls } from '../upstreams/upstreams.js';
import type { GatewayConfig } from '../gateway.config.js';
import { UPSTREAM_NAMES, type UpstreamName } from '../routing/routes.js';
import { mergeOpenApi, type ServiceDocument } from './merge-openapi.js';

/** How soon a service that has not answered yet is asked again. */
const INCOMPLETE_AGE_MS = 1_000;

/**
 * `/openapi.json` of the whole platform, put together from the services' own documents. It is made again when it
 * is asked for and older than its limit; a service that does not answer is shown as it last was.
 */
export class AggregatedOpenApi extends OpenApiDocument {
  private readonly known = new Map<UpstreamName, ServiceDocument>();
  private merged: Promise<OpenAPIObject> | undefined;
  private freshUntilMs = 0;

  constructor(
    private readonly config: GatewayConfig,
    private readonly logger: Logger,
  ) {
    super();
  }

  /** The gateway's own pages are not part of the API. */
  override describe(): void {
    // Nothing to make at start: the services may not be there yet.
  }

  override get(): Promise<OpenAPIObject> {
    const nowMs = performance.now();
    if (!this.merged || nowMs > this.freshUntilMs) {
      this.freshUntilMs = nowMs + this.config.OPENAPI_AGE_MS_MAX;
      this.merged = this.gather();
    }
    return this.merged;
  }

  private async gather(): Promise<OpenAPIObject> {
    const urls = upstreamUrls(this.config);
    await Promise.all(UPSTREAM_NAMES.map((name) => this.read(name, urls[name])));
    // A missing service is looked for again soon, not only when the document has become old.
    if (this.known.size < UPSTREAM_NAMES.length) this.freshUntilMs = performance.now() + INCOMPLETE_AGE_MS;
    return mergeOpenApi(this.known);
  }

  private async read(name: UpstreamName, url: string): Promise<void> {
    try {
      const signal = AbortSignal.timeout(this.config.OPENAPI_TIMEOUT_MS);
      const { statusCode, body } = await request(`${url}/openapi.json`, { signal });
      if (statusCode !== 200) {
        await body.dump();
        throw new Error(`answered ${statusCode}`);
      }
      this.known.set(name, (await body.json()) as ServiceDocument);
    } catch (err) {
      this.logger.warn({ err, upstream: name }, 'the OpenAPI document of a service cannot be read');
    }
  }
}
