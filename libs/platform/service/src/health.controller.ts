import { setImmediate } from 'node:timers/promises';
import { Controller, Get, Header, Inject, Res, ServiceUnavailableException } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import {
  HealthCheckService,
  HealthIndicatorService,
  type HealthCheckResult,
  type HealthIndicatorFunction,
} from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';
import { OutsideGateway } from '@atelier/auth';
import { registry } from '@atelier/observability';
import { HealthRegistry, type HealthCheckEntry } from './health.js';
import { OpenApiDocument } from './openapi.js';

const CHECK_TIMEOUT_MS = 2_000;

/** What probes, scrapers and the gateway ask directly, without an actor. */
@ApiExcludeController()
@OutsideGateway()
@Controller()
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(HealthRegistry) private readonly checks: HealthRegistry,
    @Inject(OpenApiDocument) private readonly openApi: OpenApiDocument,
  ) {}

  /** Whether the process turns its event loop. No dependency is asked: restarting us would not mend it. */
  @Get('health/live')
  live(@Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return this.answer(reply, [
      async () =>
        this.indicators
          .check('event-loop')
          .attempt(() => setImmediate())
          .withTimeout(CHECK_TIMEOUT_MS),
    ]);
  }

  @Get('health/startup')
  startup(@Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return this.answer(reply, [() => this.phase('startup', this.checks.hasStarted, 'still starting')]);
  }

  @Get('health/ready')
  ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return this.answer(reply, [
      () => this.phase('startup', this.checks.hasStarted, 'still starting'),
      () => this.phase('draining', !this.checks.draining, 'shutting down; finishing what is in flight'),
      ...this.checks.checks().map((entry) => () => this.ask(entry)),
    ]);
  }

  @Get('metrics')
  @Header('content-type', registry.contentType)
  metrics(): Promise<string> {
    return registry.metrics();
  }

  @Get('openapi.json')
  document(): unknown {
    return this.openApi.get();
  }

  private phase(name: string, up: boolean, message: string) {
    const indicator = this.indicators.check(name);
    return up ? indicator.up() : indicator.down({ message });
  }

  private async ask({ name, check, readiness }: HealthCheckEntry) {
    const result = await this.indicators
      .check(name)
      .attempt(async () => {
        const { up, reason } = await check();
        if (!up) throw new Error(reason ?? 'down');
        return reason === undefined ? undefined : { message: reason };
      })
      .withTimeout(CHECK_TIMEOUT_MS);
    const outcome = result[name];
    if (readiness || outcome?.status !== 'down') return result;
    return this.indicators.check(name).degraded({ message: String(outcome.message) });
  }

  /** The terminus document as it is, also when something is down: it says who and why. */
  private async answer(reply: FastifyReply, checks: HealthIndicatorFunction[]): Promise<unknown> {
    try {
      return (await this.health.check(checks)) as HealthCheckResult;
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      reply.status(error.getStatus());
      return error.getResponse();
    }
  }
}
