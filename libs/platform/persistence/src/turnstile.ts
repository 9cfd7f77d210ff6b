import { DomainError } from '@atelier/kernel';

/**
 * Lets a limited number of transactions be open at once; the others wait, in order, up to a limit. Without it a
 * burst of transactions could take every connection of the pool just to wait, and the open ones, which need a
 * connection to go on, would wait for them.
 */
export class Turnstile {
  private inside = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    private readonly insideMax: number,
    private readonly waitingMax: number,
  ) {}

  /** Throws unavailable `platform.transaction.queue_full` when too many wait already. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.inside >= this.insideMax) {
      if (this.queue.length >= this.waitingMax) throw full();
      await new Promise<void>((resolve) => this.queue.push(resolve));
    } else {
      this.inside++;
    }
    try {
      return await work();
    } finally {
      // The place goes to the next in line, if there is one.
      const next = this.queue.shift();
      if (next) next();
      else this.inside--;
    }
  }
}

const full = () =>
  new DomainError({
    kind: 'unavailable',
    code: 'platform.transaction.queue_full',
    detail: 'Too many changes are waiting. Nothing was changed; try again in a moment.',
    retryAfterSeconds: 1,
  });
