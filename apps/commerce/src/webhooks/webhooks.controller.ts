import { Controller, HttpCode, Param, Post, Req, type RawBodyRequest } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Ctx, Public } from '@atelier/auth';
import { webhookReceipt, type WebhookReceipt } from '@atelier/contracts/commerce/payments.api';
import type { Context } from '@atelier/kernel';
import { ReceiveWebhook } from './receive-webhook.usecase.js';
import { WebhookEvents } from './webhook-events.process.js';

const providerName = z.string().regex(/^[a-z]{1,32}$/);

/** Where payment providers call. They prove themselves by signing the body, so it is read as it came. */
@ApiTags('webhooks')
@Controller('api/v1/webhooks')
export class WebhooksController {
  constructor(
    private readonly receiveWebhook: ReceiveWebhook,
    private readonly events: WebhookEvents,
  ) {}

  @Post(':provider')
  @Public()
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: webhookReceipt })
  async receive(
    @Param('provider', { schema: providerName }) provider: string,
    @Req() request: RawBodyRequest<FastifyRequest>,
    @Ctx() context: Context,
  ): Promise<WebhookReceipt> {
    const { headers, rawBody = Buffer.alloc(0) } = request;
    const { duplicate } = await this.receiveWebhook.execute({ provider, rawBody, headers }, context);
    this.events.wake();
    return { received: true, duplicate };
  }
}
