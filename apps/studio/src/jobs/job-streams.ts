import { Readable } from 'node:stream';
import { DomainError } from '@atelier/kernel';
import type { Logger } from '@atelier/observability';
import type { HealthRegistry } from '@atelier/service';
import { isOpen, type Job } from './job.domain.js';
import type { JobRepository } from './job.repository.js';

export interface JobStreamLimits {
  readonly streamsMax: number;
  readonly streamsPerUserMax: number;
  readonly pollMs: number;
  readonly heartbeatMs: number;
  readonly durationMaxMs: number;
}

interface Watcher<J extends Job> {
  readonly userId: string | undefined;
  readonly stream: Readable;
  readonly toData: (job: J) => unknown;
  readonly endsAt: number;
  seenVersion: number;
  heartbeatAt: number;
}

const RETRY_AFTER_SECONDS = 5;
/** What a client waits before it connects again. */
const RECONNECT_MS = 1_000;

/**
 * Server-sent events of jobs: one event per change (`id` is the job's version, so that `Last-Event-ID` skips what
 * was seen), comments in between, and an end with the final state. What this process changes is told at once, each
 * stage of it. For the changes of other replicas all streams of a process share one poll of the database.
 */
export class JobStreams<J extends Job> {
  private readonly watchers = new Map<Watcher<J>, string>();
  private timer: NodeJS.Timeout | undefined;
  private polling = false;

  constructor(
    private readonly jobs: JobRepository<J>,
    private readonly health: HealthRegistry,
    private readonly logger: Logger,
    private readonly limits: JobStreamLimits,
  ) {
    jobs.onChanged((job) => this.tellAll(job));
  }

  /**
   * A stream that begins with the job as it is, unless the client has seen that version.
   * Throws unavailable `studio.job.streams_full`, too_many_requests `studio.job.too_many_streams`.
   */
  open(job: J, lastSeenVersion: number, toData: (job: J) => unknown): Readable {
    if (this.watchers.size >= this.limits.streamsMax)
      throw new DomainError({
        kind: 'unavailable',
        code: 'studio.job.streams_full',
        detail: 'Too many people are watching jobs right now. Read the job instead, or try again shortly.',
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    const own = [...this.watchers.keys()].filter(({ userId }) => userId === job.userId).length;
    if (own >= this.limits.streamsPerUserMax)
      throw new DomainError({
        kind: 'too_many_requests',
        code: 'studio.job.too_many_streams',
        detail: `You watch ${own} jobs already. Close one of them, or read the job instead.`,
        extra: { streamsMax: this.limits.streamsPerUserMax },
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    const stream = new Readable({ read: () => undefined });
    const watcher: Watcher<J> = {
      userId: job.userId,
      stream,
      toData,
      endsAt: Date.now() + this.limits.durationMaxMs,
      seenVersion: lastSeenVersion,
      heartbeatAt: Date.now() + this.limits.heartbeatMs,
    };
    stream.once('close', () => this.leave(watcher));
    stream.push(`retry: ${RECONNECT_MS}\n\n`);
    this.watchers.set(watcher, job.id);
    this.tell(watcher, job);
    this.timer ??= setInterval(() => void this.poll(), this.limits.pollMs);
    return stream;
  }

  private async poll(): Promise<void> {
    if (this.polling) return;
    this.polling = true;
    try {
      const found = await this.jobs.many([...new Set(this.watchers.values())]);
      for (const job of found) this.tellAll(job);
      for (const watcher of this.watchers.keys()) this.keep(watcher);
    } catch (err) {
      this.logger.warn({ err }, 'the watched jobs could not be read');
    } finally {
      this.polling = false;
    }
  }

  private tellAll(job: J): void {
    for (const [watcher, id] of this.watchers) if (id === job.id) this.tell(watcher, job);
  }

  private tell(watcher: Watcher<J>, job: J): void {
    if (watcher.stream.readableEnded || job.version <= watcher.seenVersion) return;
    watcher.seenVersion = job.version;
    watcher.heartbeatAt = Date.now() + this.limits.heartbeatMs;
    watcher.stream.push(`id: ${job.version}\nevent: job\ndata: ${JSON.stringify(watcher.toData(job))}\n\n`);
    if (!isOpen(job)) this.end(watcher);
  }

  private keep(watcher: Watcher<J>): void {
    const now = Date.now();
    if (!this.watchers.has(watcher)) return;
    // When a stream is old or the process stops, the client connects again, with what it has seen.
    if (now > watcher.endsAt || this.health.draining) this.end(watcher);
    else if (now > watcher.heartbeatAt) {
      watcher.heartbeatAt = now + this.limits.heartbeatMs;
      watcher.stream.push(': still here\n\n');
    }
  }

  private end(watcher: Watcher<J>): void {
    this.leave(watcher);
    watcher.stream.push(null);
  }

  private leave(watcher: Watcher<J>): void {
    this.watchers.delete(watcher);
    if (this.watchers.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
