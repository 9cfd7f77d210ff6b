import { Logger } from '@nestjs/common';

/**
 * Runs a bounded batch of work when woken and every `everyMs`, never twice at a time. The work answers whether
 * there may be more at once. A failure is logged, and the next run is the retry. Register `stop` with the
 * ShutdownSequence, stage `jobs`.
 */
export class BackgroundLoop {
  private readonly log: Logger;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
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
    if (!this.stopped) this.running ??= this.run().finally(() => (this.running = undefined));
  }

  /** Resolves when the batch in work is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.wanted && !this.stopped) {
      this.wanted = false;
      try {
        const more = await this.work();
        this.wanted ||= more;
      } catch (error) {
        this.log.warn(
          `a run failed and will be repeated: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }
}
