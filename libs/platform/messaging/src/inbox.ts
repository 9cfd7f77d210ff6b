import { Injectable } from '@nestjs/common';
import mongoose from 'mongoose';
import { currentSession, Database, duplicateKeyFields } from '@atelier/persistence';

/**
 * A record comes again soon after its consumer failed, or never: the broker keeps how far a group has come for longer
 * than any record (`offsets.retention.minutes`). A rebuild, which reads from the start, deletes its own rows first.
 */
const HANDLED_KEPT_SECONDS = 30 * 86_400;
/** How many failed events of one key are remembered; more than that is an incident, not a queue. */
const PARKED_EVENTS_MAX = 10_000;

interface InboxRow {
  _id: string;
  handledAt: Date;
}
interface ParkedRow {
  /** `<consumer>:<key>` */
  _id: string;
  /** The events of this key that are dead letters of this consumer. */
  events: string[];
}

const inboxSchema = new mongoose.Schema<InboxRow>(
  { _id: { type: String, required: true }, handledAt: { type: Date, required: true } },
  { versionKey: false, strict: 'throw', _id: false },
).index({ handledAt: 1 }, { expireAfterSeconds: HANDLED_KEPT_SECONDS });
const parkedSchema = new mongoose.Schema<ParkedRow>(
  { _id: { type: String, required: true }, events: { type: [String], required: true } },
  { versionKey: false, strict: 'throw', _id: false },
);

/** The event was handled before: the transaction has nothing to do. */
export class AlreadyHandled extends Error {}

/** What this service's consumers have handled, and which keys wait behind a dead letter. */
@Injectable()
export class Inbox {
  private readonly rows: mongoose.Model<InboxRow>;
  private readonly parked: mongoose.Model<ParkedRow>;

  constructor(database: Database) {
    this.rows = database.model<InboxRow>('_inbox', inboxSchema);
    this.parked = database.model<ParkedRow>('_parked', parkedSchema);
  }

  /** Notes the event in the running transaction. Throws AlreadyHandled when it is there (promise 12). */
  async enter(consumerId: string, eventId: string): Promise<void> {
    try {
      await this.rows.collection.insertOne(
        { _id: `${consumerId}:${eventId}` as never, handledAt: new Date() },
        { session: currentSession() },
      );
    } catch (error) {
      if (duplicateKeyFields(error)) throw new AlreadyHandled();
      throw error;
    }
  }

  /** Forgets what a consumer has handled, so that a rebuild may apply it again. */
  async forget(consumerId: string): Promise<void> {
    await this.rows.collection.deleteMany({
      _id: { $gte: `${consumerId}:`, $lt: `${consumerId};` } as never,
    });
  }

  /** Whether the key has dead letters of this consumer, and this event is the first of them or comes behind. */
  async placeInLine(consumerId: string, key: string, eventId: string): Promise<'free' | 'first' | 'behind'> {
    const row = (await this.parked.collection.findOne({
      _id: `${consumerId}:${key}` as never,
    })) as ParkedRow | null;
    if (row === null || row.events.length === 0) return 'free';
    return row.events[0] === eventId ? 'first' : 'behind';
  }

  async park(consumerId: string, key: string, eventId: string): Promise<void> {
    try {
      await this.parked.collection.updateOne(
        { _id: `${consumerId}:${key}` as never, events: { $ne: eventId } },
        { $push: { events: { $each: [eventId], $slice: PARKED_EVENTS_MAX } } } as never,
        { upsert: true },
      );
    } catch (error) {
      // It is parked already, by its first failure.
      if (!duplicateKeyFields(error)) throw error;
    }
  }

  /** The event was handled after all, or dropped; the key flows again when it was the last. */
  async unpark(consumerId: string, key: string, eventId: string): Promise<void> {
    const _id = `${consumerId}:${key}` as never;
    const session = currentSession();
    await this.parked.collection.updateOne({ _id }, { $pull: { events: eventId } } as never, { session });
    await this.parked.collection.deleteOne({ _id, events: { $size: 0 } }, { session });
  }
}
