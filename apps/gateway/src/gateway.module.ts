import { Module } from '@nestjs/common';
import { AccessTokenVerifier } from '@atelier/auth';
import { ACCESS_TOKEN_AUDIENCE, ACCESS_TOKEN_ISSUER } from '@atelier/contracts/identity/auth.api';
import { Logger } from '@atelier/observability';
import { OpenApiDocument, type ServiceOptions } from '@atelier/service';
import { Callers } from './access/callers.js';
import { AggregatedOpenApi } from './documents/aggregated-openapi.js';
import { Cors } from './edge/cors.js';
import { configureServer } from './edge/server.js';
import { Forwarder } from './forwarding/forwarder.js';
import { gatewayConfig, type GatewayConfig } from './gateway.config.js';
import { PlatformHealthController } from './health/health.controller.js';
import { UpstreamHealth } from './health/upstream-health.js';
import { RateLimits } from './limits/rate-limits.js';
import { Upstreams } from './upstreams/upstreams.js';

@Module({
  controllers: [PlatformHealthController],
  providers: [
    Upstreams,
    UpstreamHealth,
    RateLimits,
    Callers,
    Cors,
    Forwarder,
    {
      provide: AccessTokenVerifier,
      inject: [gatewayConfig.token],
      useFactory: (config: GatewayConfig) =>
        new AccessTokenVerifier({
          jwksUrl: config.JWKS_URL,
          issuer: ACCESS_TOKEN_ISSUER,
          audience: ACCESS_TOKEN_AUDIENCE,
          cacheMax: config.VERIFIED_TOKENS_MAX,
        }),
    },
  ],
})
export class GatewayModule {}

/** What the gateway has otherwise than a service: forwarding routes, and everybody's OpenAPI document. */
export const gatewayOptions: ServiceOptions = {
  configure: configureServer,
  overrides: [
    {
      provide: OpenApiDocument,
      inject: [gatewayConfig.token, Logger],
      useFactory: (config: GatewayConfig, logger: Logger) => new AggregatedOpenApi(config, logger),
    },
  ],
};
