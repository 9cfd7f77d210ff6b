import { Logger } from '@nestjs/common';
import { gauge } from '@atelier/observability';
import { lagOf, type EventBus } from './event-bus.js';
import { readsOf, type Group } from './group.js';

export interface ProgressLimits {
  /** From then on the service is not ready. */
  readonly stuckMs: number;
  /** From then on it is restarted, which frees what one event holds. */
  readonly exitMs: number;
}

/** How far a group is behind, and since when it has not moved. */
interface Behind {
  readonly events: bigint;
  readonly place: string;
  readonly sinceMs: number;
}

const WATCH_EVERY_MS = 1_000;
/** The broker is asked once per group and topic in this time. */
const MEASURE_EVERY_MS = 15_000;

const oldest = gauge('atelier_consumer_oldest_in_work_seconds', 'Age of the oldest event in work.', [
  'group',
]);
const lag = gauge('atelier_consumer_lag', 'Events that the group has not committed yet.', ['group']);

/**
 * Whether the groups get on (promise 16): no event is in work for too long, and what waits is read. A connection that
 * stands proves neither.
 */
export class Progress {
  private readonly log = new Logger('messaging');
  private readonly behind = new Map<string, Behind>();
  private readonly timers: NodeJS.Timeout[] = [];
  private isMeasuring = false;
  private isStopped = false;

  constructor(
    private readonly bus: Pick<EventBus, 'offsets'>,
    private readonly groups: ReadonlyMap<string, Group>,
    private readonly limits: ProgressLimits,
  ) {}

  start(): void {
    this.timers.push(
      setInterval(() => this.watch(), Math.min(WATCH_EVERY_MS, this.limits.stuckMs)),
      setInterval(() => void this.measure(), Math.min(MEASURE_EVERY_MS, this.limits.stuckMs / 2)),
    );
    for (const timer of this.timers) timer.unref();
  }

  stop(): void {
    this.isStopped = true;
    for (const timer of this.timers) clearInterval(timer);
  }

  answer(): { up: boolean; reason?: string } {
    const now = Date.now();
    for (const group of this.groups.values()) {
      const ageMs = oldestMs(group);
      if (ageMs > this.limits.stuckMs)
        return { up: false, reason: `${group.name} has been at one event for ${seconds(ageMs)}` };
      const behind = this.behind.get(group.name);
      if (behind && behind.events > 0n && now - behind.sinceMs > this.limits.stuckMs) {
        const since = seconds(now - behind.sinceMs);
        return {
          up: false,
          reason: `${group.name} has ${behind.events} events to read and read none for ${since}`,
        };
      }
    }
    return { up: true };
  }

  private watch(): void {
    for (const group of this.groups.values()) {
      const ageMs = oldestMs(group);
      oldest.set({ group: group.name }, ageMs / 1000);
      if (ageMs <= this.limits.exitMs) continue;
      this.log.fatal(`${group.name} makes no progress; the service restarts`);
      process.exitCode = 1;
      // Once: a second signal would cut the shutdown short.
      this.stop();
      process.kill(process.pid, 'SIGTERM');
      return;
    }
  }

  private async measure(): Promise<void> {
    if (this.isMeasuring) return;
    this.isMeasuring = true;
    for (const group of this.groups.values()) {
      if (this.isStopped) return;
      const was = this.behind.get(group.name);
      const now = Date.now();
      try {
        const offsets = await this.bus.offsets(group.name, readsOf(group));
        const events = lagOf(offsets);
        const place = offsets.map(({ next }) => next).join();
        lag.set({ group: group.name }, Number(events));
        const hasMoved = events === 0n || was?.place !== place;
        this.behind.set(group.name, { events, place, sinceMs: hasMoved ? now : was.sinceMs });
      } catch {
        // A broker that is away is no reason to send requests elsewhere: writes go on.
        this.behind.delete(group.name);
      }
    }
    this.isMeasuring = false;
  }
}

const oldestMs = (group: Group): number => {
  const begun = Math.min(...group.inWork.values());
  return Number.isFinite(begun) ? Date.now() - begun : 0;
};
const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
