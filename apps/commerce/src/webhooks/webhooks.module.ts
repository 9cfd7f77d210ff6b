import { Module } from '@nestjs/common';
import { PaymentsModule } from '../payments/payments.module.js';
import { ProcessWebhookEvent } from './process-webhook-event.usecase.js';
import { ReceiveWebhook } from './receive-webhook.usecase.js';
import { WebhookEventRepository } from './webhook-event.repository.js';
import { WebhookEvents } from './webhook-events.process.js';
import { WebhooksController } from './webhooks.controller.js';

@Module({
  imports: [PaymentsModule],
  controllers: [WebhooksController],
  providers: [WebhookEventRepository, ReceiveWebhook, ProcessWebhookEvent, WebhookEvents],
})
export class WebhooksModule {}
