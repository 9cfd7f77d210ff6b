import { Clock, DomainError, VersionConflict, type Context } from '@atelier/kernel';
import { InjectConfig, UseCase } from '@atelier/service';
import { ownContext } from '../caller.js';
import { commerceConfig, type CommerceConfig } from '../commerce.config.js';
import { SettlePayment } from '../payments/settle-payment.usecase.js';
import { beginAttempt, finishEvent, postponeEvent, type WebhookEvent } from './webhook-event.domain.js';
import { WebhookEventRepository } from './webhook-event.repository.js';

/**
 * One attempt at a stored event. A crash after the payment is settled and before the event is marked only means that
 * the next attempt finds the payment settled.
 * Emits: what SettlePayment emits.
 * Fails with: nothing; the event keeps what went wrong.
 */
@UseCase('commerce.process-webhook-event')
export class ProcessWebhookEvent {
  constructor(
    private readonly events: WebhookEventRepository,
    private readonly settle: SettlePayment,
    private readonly clock: Clock,
    @InjectConfig(commerceConfig) private readonly config: CommerceConfig,
  ) {}

  async execute(due: WebhookEvent): Promise<WebhookEvent | undefined> {
    const context = ownContext({ correlationId: due.id }, due.id);
    const begun = await this.claim(due, context);
    if (!begun) return undefined;
    return this.events.save(await this.attempt(begun), context);
  }

  /** Undefined when another replica has it. */
  private async claim(due: WebhookEvent, context: Context): Promise<WebhookEvent | undefined> {
    try {
      const change = beginAttempt(due, this.config.WEBHOOK_LEASE_MS, this.clock.now());
      return await this.events.save(change, context);
    } catch (error) {
      if (error instanceof VersionConflict) return undefined;
      throw error;
    }
  }

  private async attempt(event: WebhookEvent): Promise<ReturnType<typeof finishEvent>> {
    if (!event.outcome) return finishEvent(event, 'ignored', this.clock.now());
    try {
      await this.settle.execute(event.outcome, { causationId: event.id });
      return finishEvent(event, 'applied', this.clock.now());
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (isFinal(error)) return finishEvent(event, 'refused', this.clock.now(), why);
      return postponeEvent(event, why, this.clock.now());
    }
  }
}

/** A refusal of the domain stays one, however often it is tried; everything else may pass. */
const isFinal = (error: unknown): boolean =>
  error instanceof DomainError &&
  !(error instanceof VersionConflict) &&
  (error.kind === 'conflict' || error.kind === 'not_found');
