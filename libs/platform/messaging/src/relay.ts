import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type mongoose from 'mongoose';
import { counter, gauge } from '@atelier/observability';
import { type Database, type Outbox, OUTBOX_BUCKETS, type OutboxRow } from '@atelier/persistence';
import type { EventBus } from './event-bus.js';
import { toRecord } from './message.js';

export interface RelayLimits {
  readonly sweepMs: number;
  readonly leaseMs: number;
  readonly batchMax: number;
}

/** A bucket (by number) and who may publish it, or a relay (by its own id) that is alive. */
interface LeaseRow {
  _id: number | string;
  owner: string;
  until: Date;
}

const FAILURE_PAUSE_MS = 500;
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
 * (promises 11 and 18). A failure to publish is never an error of a request.
 */
export class Relay {
  private readonly log = new Logger('relay');
  private readonly owner = randomUUID();
  private readonly leases: mongoose.mongo.Collection<LeaseRow>;
  /** Bucket → until when this relay may publish it, by its own clock. */
  private held = new Map<number, number>();
  private running: Promise<void> | undefined;
  private stopping = false;
  private pending = false;
  private wake: () => void = () => undefined;
  private renewedAt = 0;
  private failing: string | undefined;
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

  /** Publishes what is left, as far as the broker answers, and hands the leases back. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.stopListening();
    this.wake();
    await this.running;
    await this.drain().catch(() => undefined);
    await this.leases.deleteMany({ owner: this.owner }).catch(() => undefined);
  }

  /** Why the relay does not get on, or undefined. */
  get trouble(): string | undefined {
    return this.failing;
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      try {
        if (this.isRenewalDue()) await this.renew();
        this.pending = false;
        const more = await this.drain();
        this.failing = undefined;
        if (more || this.pending) continue;
        await this.idle(this.limits.sweepMs);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (this.failing === undefined) this.log.warn(`facts wait in the outbox: ${reason}`);
        this.failing = reason;
        await this.idle(FAILURE_PAUSE_MS);
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
      if ((error as { code?: number }).code === 11000) return false;
      throw error;
    }
  }

  /** Publishes one batch of the buckets held. Answers whether there may be more. */
  private async drain(): Promise<boolean> {
    // Only leases that outlive the publishing: a late publisher could reorder a key.
    const safeUntil = Date.now() + this.limits.leaseMs / 2;
    const buckets = [...this.held].filter(([, until]) => until > safeUntil).map(([bucket]) => bucket);
    if (buckets.length === 0) return false;
    const rows = (await this.outbox.rows.collection
      .find(buckets.length === OUTBOX_BUCKETS ? {} : { bucket: { $in: buckets } })
      .sort({ _id: 1 })
      .limit(this.limits.batchMax)
      .toArray()) as unknown as OutboxRow[];
    if (rows.length === 0) return false;
    const byTopic = Map.groupBy(rows, ({ topic }) => topic);
    await this.bus.send(
      [...byTopic].map(([topic, of]) => ({
        topic,
        records: inOrder(of).map(({ envelope }) => toRecord(envelope)),
      })),
    );
    await this.outbox.rows.collection.deleteMany({ _id: { $in: rows.map(({ _id }) => _id) as never[] } });
    published.inc({ service: this.database.app }, rows.length);
    return rows.length === this.limits.batchMax;
  }

  private async idle(ms: number): Promise<void> {
    if (this.pending || this.stopping) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }
}

/** Writers on several machines may disagree about the time by a little; within a key the versions decide. */
function inOrder(rows: readonly OutboxRow[]): OutboxRow[] {
  const byKey = Map.groupBy(rows, ({ key }) => key);
  return [...byKey.values()].flatMap((of) => of.toSorted((a, b) => a.envelope.version - b.envelope.version));
}
