import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';

const RUNG = 'rung';

/** Wakes the workers of this process when a job was queued by it; those of other replicas poll. */
@Injectable()
export class JobBell {
  private readonly bell = new EventEmitter();

  ring(): void {
    this.bell.emit(RUNG);
  }

  /** Resolves when somebody rings, at the latest after `timeoutMs`. */
  wait(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.bell.off(RUNG, wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.bell.once(RUNG, wake);
    });
  }
}
