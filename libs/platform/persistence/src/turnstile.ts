import { DomainError } from '@atelier/kernel';

export interface TurnstileLimits {
  readonly insideMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
}

/**
 * Lets a limited number of transactions be open at once; the others wait, in order, up to limits. Without it a
 * burst of transactions could take every connection of the pool just to wait, and the open ones, which need a
 * connection to go on, would wait for them.
 */
export class Turnstile {
  private inside = 0;
  /** In the order in which they came. */
  private readonly queue = new Set<() => void>();

  constructor(private readonly limits: TurnstileLimits) {}

  /** Throws unavailable `platform.transaction.queue_full` when too many wait already, or it waited for too long. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.inside >= this.limits.insideMax) await this.wait();
    else this.inside++;
    try {
      return await work();
    } finally {
      // The place goes to the next in line, if there is one.
      const [next] = this.queue;
      if (next) next();
      else this.inside--;
    }
  }

  private async wait(): Promise<void> {
    if (this.queue.size >= this.limits.waitingMax) throw full();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const enter = (): void => {
      clearTimeout(timer);
      this.queue.delete(enter);
      resolve();
    };
    const timer = setTimeout(() => {
      this.queue.delete(enter);
      reject(full());
    }, this.limits.waitMsMax);
    this.queue.add(enter);
    await promise;
  }
}

const full = () =>
  new DomainError({
    kind: 'unavailable',
    code: 'platform.transaction.queue_full',
    detail: 'Too many changes are waiting. Nothing was changed; try again in a moment.',
    retryAfterSeconds: 1,
  });
