import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type mongoose from 'mongoose';
import { counter, gauge } from '@atelier/observability';
import {
  type Database,
  duplicateKeyFields,
  type Outbox,
  OUTBOX_BUCKETS,
  type OutboxRow,
} from '@atelier/persistence';
import type { BusRecord, EventBus } from './event-bus.js';
import { toRecord } from './message.js';

export interface RelayLimits {
  readonly sweepMs: number;
  readonly leaseMs: number;
  /** Facts that are sent together: as many, and as long as their records together. At least one. */
  readonly batchMax: number;
  readonly batchBytesMax: number;
}

/** A bucket (by number) and who may publish it, or a relay (by its own id) that is alive. */
interface LeaseRow {
  _id: number | string;
  owner: string;
  until: Date;
}

/** A fact and the record that tells of it. */
interface Told {
  readonly row: OutboxRow;
  readonly record: BusRecord;
}
type TopicsTold = readonly (readonly [topic: string, facts: readonly Told[]])[];

const FAILURE_PAUSE_MS = 500;
/** How long a stop goes on to publish what is left; the rest waits for another relay. */
const STOP_DRAIN_MS_MAX = 5_000;
/** Leases are renewed this often within their time, so that one missed renewal changes nothing. */
const RENEWALS_PER_LEASE = 4;

const published = counter('atelier_outbox_published_total', 'Facts acknowledged by the broker.', ['service']);
const waiting = gauge('atelier_outbox_rows', 'Facts that are committed and not yet published.', ['service']);
const oldest = gauge('atelier_outbox_oldest_seconds', 'Age of the oldest fact that is not yet published.', [
  'service',
]);

/**
 * Carries facts from `_outbox` to their topics. Woken by commits of its own process, and by a sweep for those
 * of others. Buckets of keys are leased, so that replicas share the work and each key has one publisher; a row
 * is deleted only after the broker has acknowledged it, so a crash repeats a fact and never loses one
 * (promises 11 and 18). A failure to publish is never an error of a request. A topic that the broker refuses waits by
 * itself; the others go on.
 */
export class Relay {
  private readonly log = new Logger('relay');
  private readonly owner = randomUUID();
  private readonly leases: mongoose.mongo.Collection<LeaseRow>;
  /** Bucket → until when this relay may publish it, by its own clock. */
  private held = new Map<number, number>();
  private running: Promise<void> | undefined;
  private readonly stopping = new AbortController();
  private pending = false;
  private wake: () => void = () => undefined;
  private renewedAt = 0;
  private failing: string | undefined;
  /** Topic → why the broker refuses it, and when it is tried again. */
  private readonly refused = new Map<string, { readonly reason: string; readonly until: number }>();
  private stopListening: () => void = () => undefined;

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly bus: EventBus,
    private readonly limits: RelayLimits,
  ) {
    this.leases = database.connection.collection<LeaseRow>('_outbox_leases');
  }

  start(): void {
    this.stopListening = this.outbox.onCommitted(() => {
      this.pending = true;
      this.wake();
    });
    this.running = this.loop();
  }

  /** Publishes what is left, as far as the broker answers and the time goes, and hands the leases back. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.stopListening();
    this.wake();
    await this.running;
    this.refused.clear();
    const until = Date.now() + STOP_DRAIN_MS_MAX;
    const rest = async (): Promise<void> => {
      while ((await this.drain()) && Date.now() < until);
    };
    await rest().catch(() => undefined);
    await this.leases.deleteMany({ owner: this.owner }).catch(() => undefined);
  }

  /** Why the relay does not get on, or undefined. */
  get trouble(): string | undefined {
    const refusals = [...this.refused].map(([topic, { reason }]) => `${topic}: ${reason}`);
    return this.failing ?? (refusals.join('; ') || undefined);
  }

  private async loop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        if (this.isRenewalDue()) await this.renew();
        this.pending = false;
        const more = await this.drain();
        this.failing = undefined;
        if (more || this.pending) continue;
        await this.idle(this.limits.sweepMs);
      } catch (error) {
        const reason = messageOf(error);
        if (this.failing === undefined) this.log.warn(`facts wait in the outbox: ${reason}`);
        this.failing = reason;
        // Not woken by commits: each would be another try.
        await sleep(FAILURE_PAUSE_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      }
    }
  }

  /** A relay that holds nothing asks at each sweep, because another may have given something up. */
  private isRenewalDue(): boolean {
    const { sweepMs, leaseMs } = this.limits;
    const everyMs = this.held.size === 0 ? sweepMs : Math.max(sweepMs, leaseMs / RENEWALS_PER_LEASE);
    return Date.now() - this.renewedAt >= everyMs;
  }

  private async renew(): Promise<void> {
    const at = Date.now();
    await this.renewLeases();
    this.renewedAt = at;
    const rows = this.outbox.rows.collection;
    const first = await rows.findOne({}, { sort: { _id: 1 }, projection: { createdAt: 1 } });
    const service = this.database.app;
    waiting.set({ service }, first ? await rows.countDocuments({}, { limit: 100_000 }) : 0);
    oldest.set({ service }, first ? (Date.now() - (first['createdAt'] as Date).getTime()) / 1000 : 0);
  }

  /** Keeps what is held, takes what is free, up to a fair share of the buckets among the relays that are alive. */
  private async renewLeases(): Promise<void> {
    const { owner } = this;
    const now = Date.now();
    const until = now + this.limits.leaseMs;
    // Written before it is read: what another relay took meanwhile is then seen to be its own.
    await this.leases.updateMany({ owner }, { $set: { until: new Date(until) } });
    const rows = await this.leases.find({}).toArray();
    const alive = rows.filter((row) => row._id === row.owner && row.until.getTime() > now);
    // A relay that holds nothing yet must be seen too, or the others would never leave it a share.
    if (!alive.some((row) => row.owner === owner)) await this.lease(owner, now);
    const share = Math.ceil(OUTBOX_BUCKETS / new Set(alive.map((row) => row.owner)).add(owner).size);
    const held = new Map<number, number>();
    for (let bucket = 0; bucket < OUTBOX_BUCKETS; bucket++) {
      const row = rows.find(({ _id }) => _id === bucket);
      if (row?.owner === owner) {
        if (held.size < share) held.set(bucket, until);
        else await this.leases.deleteOne({ _id: bucket, owner });
      } else if (held.size < share && (!row || row.until.getTime() <= now)) {
        if (await this.lease(bucket, now)) held.set(bucket, until);
      }
    }
    this.held = held;
    const isGone = (row: LeaseRow): boolean => row._id === row.owner && row.until.getTime() <= now;
    if (rows.some(isGone)) {
      await this.leases.deleteMany({ _id: { $type: 'string' }, until: { $lte: new Date(now) } });
    }
  }

  private async lease(_id: number | string, now: number): Promise<boolean> {
    try {
      await this.leases.updateOne(
        { _id, $or: [{ owner: this.owner }, { until: { $lte: new Date(now) } }] },
        { $set: { owner: this.owner, until: new Date(now + this.limits.leaseMs) } },
        { upsert: true },
      );
      return true;
    } catch (error) {
      if (duplicateKeyFields(error)) return false;
      throw error;
    }
  }

  /** Publishes one batch of the buckets held. Answers whether there may be more. */
  private async drain(): Promise<boolean> {
    // Only leases that outlive the publishing: a late publisher could reorder a key.
    const safeUntil = Date.now() + this.limits.leaseMs / 2;
    const buckets = [...this.held].filter(([, until]) => until > safeUntil).map(([bucket]) => bucket);
    if (buckets.length === 0) return false;
    const { facts, more } = await this.read(buckets);
    const topics = [...Map.groupBy(facts, ({ row }) => row.topic)];
    const sound = topics.filter(([topic]) => !this.refused.has(topic));
    const isSent = sound.length > 1 && (await this.publish(sound)) === undefined;
    // One by one, so that the topic that is refused is known, and the others go on.
    for (const one of isSent ? topics.filter((topic) => !sound.includes(topic)) : topics) {
      if (Date.now() > safeUntil) return true;
      this.judge(one[0], await this.publish([one]));
    }
    return more;
  }

  private async read(buckets: readonly number[]): Promise<{ facts: readonly Told[]; more: boolean }> {
    const now = Date.now();
    const [waits, due] = [true, false].map((isWaiting) =>
      [...this.refused].filter(([, { until }]) => until > now === isWaiting).map(([topic]) => topic),
    ) as [string[], string[]];
    const { batchMax, batchBytesMax } = this.limits;
    const rows = (await this.outbox.rows.collection
      .find(
        {
          ...(buckets.length === OUTBOX_BUCKETS ? {} : { bucket: { $in: buckets } }),
          ...(waits.length === 0 ? {} : { topic: { $nin: waits } }),
        },
        // What a majority does not have yet may still be undone, and must not be told.
        { readConcern: { level: 'majority' }, batchSize: batchMax },
      )
      .sort({ _id: 1 })
      .limit(batchMax)
      .toArray()) as unknown as OutboxRow[];
    const facts: Told[] = [];
    let bytes = 0;
    for (const row of rows) {
      const record = toRecord(row.envelope);
      bytes += bytesOf(record);
      if (facts.length > 0 && bytes > batchBytesMax) return { facts, more: true };
      facts.push({ row, record });
    }
    if (rows.length === batchMax) return { facts, more: true };
    // What was refused is gone: published by another relay.
    for (const topic of due) if (!rows.some((row) => row.topic === topic)) this.refused.delete(topic);
    return { facts, more: false };
  }

  /** Answers why the broker refused; throws when the database does. */
  private async publish(topics: TopicsTold): Promise<string | undefined> {
    try {
      await this.bus.send(topics.map(([topic, facts]) => ({ topic, records: inOrder(facts) })));
    } catch (error) {
      return messageOf(error);
    }
    const ids = topics.flatMap(([, facts]) => facts.map(({ row }) => row._id));
    await this.outbox.rows.collection.deleteMany({ _id: { $in: ids as never[] } });
    published.inc({ service: this.database.app }, ids.length);
    return undefined;
  }

  private judge(topic: string, reason: string | undefined): void {
    if (reason === undefined) {
      this.refused.delete(topic);
      return;
    }
    if (!this.refused.has(topic)) this.log.warn(`facts wait in the outbox: ${topic}: ${reason}`);
    this.refused.set(topic, { reason, until: Date.now() + FAILURE_PAUSE_MS });
  }

  private async idle(ms: number): Promise<void> {
    if (this.pending || this.stopping.signal.aborted) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }
}

/** Writers on several machines may disagree about the time by a little; within a key the versions decide. */
function inOrder(facts: readonly Told[]): BusRecord[] {
  const byKey = Map.groupBy(facts, ({ row }) => row.key);
  return [...byKey.values()].flatMap((of) =>
    of.toSorted((a, b) => a.row.envelope.version - b.row.envelope.version).map(({ record }) => record),
  );
}

const bytesOf = ({ key, value, headers }: BusRecord): number =>
  [key, value ?? '', ...Object.entries(headers).flat()].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    0,
  );

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
