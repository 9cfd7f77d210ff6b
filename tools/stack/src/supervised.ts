import type { Exit } from '@atelier/kafka';
import { backOffMs, restartsMax, stableMs } from './back-off.js';

/** A started child, whatever it is. */
export interface Running {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/**
 * Keeps one child alive: when it ends without being asked to, it is started again after a growing pause;
 * after `restartsMax` such ends in a row it is given up and stays down.
 */
export class Supervised<T extends Running> {
  private current: T | undefined;
  private wanted = false;
  private failures = 0;
  private startedAt = 0;
  private pause: { timer: NodeJS.Timeout; now: () => void } | undefined;
  private hasGivenUp = false;
  private starting: Promise<void> | undefined;

  constructor(
    readonly name: string,
    private readonly begin: () => Promise<T>,
    private readonly say: (text: string) => void,
  ) {}

  /** The living child, or undefined between its end and its next start. */
  get running(): T | undefined {
    return this.current;
  }

  /** Restarts in a row; 0 again once a child has lived for a while. */
  get restarts(): number {
    return this.failures;
  }

  get givenUp(): boolean {
    return this.hasGivenUp;
  }

  /** Starts the child. The first start is not retried: what fails at once should be read at once. */
  async start(): Promise<void> {
    this.wanted = true;
    this.hasGivenUp = false;
    this.failures = 0;
    await this.launch();
  }

  async stop(): Promise<void> {
    this.wanted = false;
    if (this.pause) clearTimeout(this.pause.timer);
    this.pause = undefined;
    await this.starting?.catch(() => undefined);
    await this.current?.stop();
  }

  /** SIGKILL; supervision then does what it does after any crash. */
  async kill(): Promise<void> {
    await this.current?.kill();
  }

  /** Brings a child that is down back at once, without the rest of its pause. */
  async revive(): Promise<void> {
    if (this.pause) this.pause.now();
    else if (!this.current && !this.starting) await this.start();
    await this.starting;
  }

  private launch(): Promise<void> {
    this.starting = this.begin()
      .then((child) => {
        this.current = child;
        this.startedAt = Date.now();
        void child.exited.then((exit) => this.onExit(child, exit));
      })
      .finally(() => (this.starting = undefined));
    return this.starting;
  }

  private onExit(child: T, exit: Exit): void {
    if (this.current === child) this.current = undefined;
    if (!this.wanted) return;
    if (Date.now() - this.startedAt > stableMs) this.failures = 0;
    this.retry(exit.signal ? `was ended by ${exit.signal}` : `ended with code ${exit.code}`);
  }

  private retry(reason: string): void {
    if (this.failures >= restartsMax) {
      this.hasGivenUp = true;
      this.say(`${this.name} ${reason} and is given up after ${restartsMax} restarts`);
      return;
    }
    const pauseMs = backOffMs(this.failures++);
    this.say(`${this.name} ${reason}; restart ${this.failures} of ${restartsMax} in ${pauseMs / 1000} s`);
    const again = () => {
      if (this.pause) clearTimeout(this.pause.timer);
      this.pause = undefined;
      this.launch().then(
        () => this.say(`${this.name} runs again`),
        (error: unknown) => this.wanted && this.retry(`did not start (${String(error)})`),
      );
    };
    this.pause = { timer: setTimeout(again, pauseMs), now: again };
  }
}
