import type { IncomingHttpHeaders } from 'node:http';
import { Clock, newId, type Context } from '@atelier/kernel';
import { UseCase } from '@atelier/service';
import { PaymentProviders } from '../payments/payment-providers.js';
import { receiveEvent } from './webhook-event.domain.js';
import { EventKnown, WebhookEventRepository } from './webhook-event.repository.js';

/**
 * Stores an event that the provider proves to be its own; when this returns, nothing can lose it.
 * Emits: nothing; the work on it does.
 * Fails with: commerce.payment_provider.unknown, commerce.webhook.signature|timestamp|unreadable.
 */
@UseCase('commerce.receive-webhook')
export class ReceiveWebhook {
  constructor(
    private readonly events: WebhookEventRepository,
    private readonly providers: PaymentProviders,
    private readonly clock: Clock,
  ) {}

  async execute(
    input: { provider: string; rawBody: Buffer; headers: IncomingHttpHeaders },
    context: Context,
  ): Promise<{ duplicate: boolean }> {
    const provider = this.providers.named(input.provider);
    const now = this.clock.now();
    const event = provider.parseWebhook(input.rawBody, input.headers, now);
    const payload = input.rawBody.toString();
    try {
      await this.events.save(
        receiveEvent({ id: newId('whe'), provider: provider.name, payload, ...event }, now),
        context,
      );
      return { duplicate: false };
    } catch (error) {
      if (error instanceof EventKnown) return { duplicate: true };
      throw error;
    }
  }
}
