import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { PAYMENT_PROVIDERS } from '@atelier/contracts/commerce/payment.events';
import { aggregateSchema, Database, Outbox, Repository } from '@atelier/persistence';
import type { WebhookEvent } from './webhook-event.domain.js';

/** R442 */
const PROCESSED_KEPT_SECONDS = 90 * 86_400;

/** The event is stored already: its provider sent it again. */
export class EventKnown extends Error {}

const schema = aggregateSchema<WebhookEvent>({
  provider: { type: String, enum: PAYMENT_PROVIDERS, required: true },
  eventId: { type: String, required: true },
  eventType: { type: String, required: true },
  payload: { type: String, required: true },
  outcome: { type: mongoose.Schema.Types.Mixed },
  attempts: { type: Number, required: true, min: 0 },
  nextAttemptAt: { type: Date },
  result: { type: String, enum: ['applied', 'ignored', 'refused', 'gave_up'] },
  lastError: { type: String },
  processedAt: { type: Date },
  createdAt: { type: Date, required: true },
  updatedAt: { type: Date, required: true },
})
  .index({ provider: 1, eventId: 1 }, { unique: true })
  .index({ nextAttemptAt: 1, _id: 1 }, { partialFilterExpression: { nextAttemptAt: { $exists: true } } })
  .index({ processedAt: 1 }, { expireAfterSeconds: PROCESSED_KEPT_SECONDS });

@Injectable()
export class WebhookEventRepository extends Repository<WebhookEvent, never> {
  constructor(database: Database, outbox: Outbox) {
    super(database, outbox, {
      collection: 'webhook_events',
      schema,
      owner: [],
      onDuplicate: () => new EventKnown(),
    });
  }

  /** What is due, longest due first. */
  async due(now: Date, limit: number): Promise<readonly WebhookEvent[]> {
    const { items } = await this.pageAcrossOwners(
      // Its index holds only what exists; not every server sees that from `$lte`.
      { nextAttemptAt: { $exists: true, $lte: now } },
      { limit, sort: { by: 'nextAttemptAt', direction: 1 } },
      'system',
    );
    return items;
  }
}
