import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { OutsideGateway } from '@atelier/auth';
import type { PlatformHealthView } from '@atelier/contracts/gateway/health.api';
import { UPSTREAM_NAMES } from '../routing/routes.js';
import { UpstreamHealth } from './upstream-health.js';

/** For monitors and people; `/health/live` and `/health/ready` are for the orchestrator. */
@OutsideGateway()
@Controller()
export class PlatformHealthController {
  constructor(private readonly upstreams: UpstreamHealth) {}

  @Get('healthz')
  async healthz(@Res({ passthrough: true }) reply: FastifyReply): Promise<PlatformHealthView> {
    const answers = await Promise.all(
      UPSTREAM_NAMES.map(async (name) => [name, await this.upstreams.ask(name)] as const),
    );
    const isUp = answers.every(([, { up }]) => up);
    reply.status(isUp ? 200 : 503).header('cache-control', 'no-store');
    return {
      status: isUp ? 'up' : 'down',
      services: Object.fromEntries(
        answers.map(([name, { up, reason }]) => [
          name,
          { status: up ? 'up' : 'down', ...(reason === undefined ? {} : { reason }) },
        ]),
      ),
    };
  }

  @Get()
  welcome(): Record<string, string> {
    return {
      name: 'Atelier',
      docs: '/docs',
      openapi: '/openapi.json',
      health: '/healthz',
      api: '/api/v1',
    };
  }
}
