import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '@atelier/kernel';
import { counter } from '@atelier/observability';
import { BackgroundLoop, InjectConfig, ShutdownSequence } from '@atelier/service';
import { commerceConfig, type CommerceConfig } from '../commerce.config.js';
import { ProcessWebhookEvent } from './process-webhook-event.usecase.js';
import { WebhookEventRepository } from './webhook-event.repository.js';

const BATCH_MAX = 50;
const processed = counter('atelier_webhook_events_total', 'Incoming webhook events by provider and result.', [
  'provider',
  'result',
]);

/** Works on stored events: at once when one arrives, and by itself on what a crash or a failure left. */
@Injectable()
export class WebhookEvents implements OnApplicationBootstrap {
  private readonly log = new Logger('webhooks');
  private readonly loop: BackgroundLoop;

  constructor(
    private readonly events: WebhookEventRepository,
    private readonly processEvent: ProcessWebhookEvent,
    private readonly clock: Clock,
    @InjectConfig(commerceConfig) config: CommerceConfig,
    shutdown: ShutdownSequence,
  ) {
    this.loop = new BackgroundLoop('webhook events', config.WEBHOOK_SWEEP_MS, () => this.sweep());
    shutdown.add('jobs', 'webhook events', () => this.loop.stop());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  wake(): void {
    this.loop.wake();
  }

  private async sweep(): Promise<boolean> {
    const due = await this.events.due(this.clock.now(), BATCH_MAX);
    for (const event of due) {
      const done = await this.processEvent.execute(event);
      if (!done) continue;
      const { provider, result = 'postponed', eventId, lastError } = done;
      processed.inc({ provider, result });
      if (lastError) this.log.warn(`${provider} event ${eventId}: ${result}: ${lastError}`);
    }
    return due.length === BATCH_MAX;
  }
}
