import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@nestjs/common';

/**
 * Runs a bounded batch of work when woken and every `everyMs`, never twice at a time. The work answers whether
 * there may be more at once. A failure is logged, and the next run is the retry. Register `stop` with the
 * ShutdownSequence, stage `jobs`.
 */
export class BackgroundLoop {
  private readonly log: Logger;
  private timer: NodeJS.Timeout | undefined;
  /** The work belongs to nobody who wakes it: neither to their request, nor to their use case or transaction. */
  private readonly inOwnContext = AsyncLocalStorage.snapshot();
  private isRunning = false;
  private finished: Promise<void> = Promise.resolve();
  private wanted = false;
  private stopped = false;

  constructor(
    name: string,
    private readonly everyMs: number,
    private readonly work: () => Promise<boolean>,
  ) {
    this.log = new Logger(name);
  }

  start(): void {
    this.timer = setInterval(() => this.wake(), this.everyMs);
    this.wake();
  }

  wake(): void {
    this.wanted = true;
    if (!this.stopped && !this.isRunning) this.finished = this.inOwnContext(() => this.run());
  }

  /** Resolves when the batch in work is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.finished;
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.wanted && !this.stopped) {
      this.wanted = false;
      try {
        const more = await this.work();
        this.wanted ||= more;
      } catch (error) {
        this.log.warn('a run failed and will be repeated', error);
      }
    }
    // At once with the last look at `wanted`: nobody can wake it in between and be overlooked.
    this.isRunning = false;
  }
}
