import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { toEnvelope, type Context, type DomainEvent, type EventEnvelope } from '@atelier/kernel';
import { Database } from './database.js';
import { afterCommit } from './transaction.js';

/** A fact that is committed and not yet on its topic. The relay deletes it when the broker has acknowledged it. */
export interface OutboxRow {
  /** The event's id: time-ordered, so `_id` order is the order of writing. */
  _id: string;
  topic: string;
  key: string;
  /** Rows of one key are always in one bucket; a relay leases whole buckets, so a key has one publisher. */
  bucket: number;
  envelope: EventEnvelope;
  createdAt: Date;
}

export const OUTBOX_BUCKETS = 8;

const outboxSchema = new mongoose.Schema<OutboxRow>(
  {
    _id: { type: String, required: true },
    topic: { type: String, required: true },
    key: { type: String, required: true },
    bucket: { type: Number, required: true },
    envelope: { type: mongoose.Schema.Types.Mixed, required: true },
    createdAt: { type: Date, required: true },
  },
  { versionKey: false, strict: 'throw', _id: false },
).index({ bucket: 1, _id: 1 });

/** Where `save` leaves facts, in the transaction of the state that they tell of. */
@Injectable()
export class Outbox {
  readonly rows: mongoose.Model<OutboxRow>;
  private readonly committed = new EventEmitter();

  constructor(private readonly database: Database) {
    this.rows = database.model<OutboxRow>('_outbox', outboxSchema);
  }

  /**
   * Adds facts to the running transaction. Refuses a fact of another service: a service may state only what it
   * owns.
   */
  async append(
    events: readonly DomainEvent[],
    version: number,
    context: Context,
    session: mongoose.mongo.ClientSession,
    now: Date,
  ): Promise<void> {
    await this.appendAll(
      events.map((event) => ({ event, version, context })),
      session,
      now,
    );
  }

  /** The same for facts of several aggregates and requests: one write for all. */
  async appendAll(
    facts: readonly { event: DomainEvent; version: number; context: Context }[],
    session: mongoose.mongo.ClientSession,
    now: Date,
  ): Promise<void> {
    if (facts.length === 0) return;
    const rows = facts.map(({ event, version, context }): OutboxRow => {
      if (event.definition.app !== this.database.app) {
        throw new Error(
          `${this.database.app} must not publish ${event.definition.type}: its owner is ${event.definition.app}`,
        );
      }
      const envelope = toEnvelope(event, version, context, now);
      return {
        _id: envelope.id,
        topic: event.definition.topic,
        key: envelope.subject,
        bucket: bucketOf(envelope.subject),
        envelope,
        createdAt: now,
      };
    });
    await this.rows.collection.insertMany(rows as never[], { session });
    afterCommit(() => this.committed.emit('committed'));
  }

  /** Calls back after every commit that left rows here, so that the relay need not wait for its next sweep. */
  onCommitted(listener: () => void): () => void {
    this.committed.on('committed', listener);
    return () => this.committed.off('committed', listener);
  }
}

export const bucketOf = (key: string): number => createHash('sha1').update(key).digest()[0]! % OUTBOX_BUCKETS;
