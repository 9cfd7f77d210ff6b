import type { Logger } from '@atelier/observability';

/** In this order: nothing new comes in, what is decided goes out, then the ground is taken away. */
const SHUTDOWN_STAGES = ['consumers', 'relay', 'jobs', 'database'] as const;
type ShutdownStage = (typeof SHUTDOWN_STAGES)[number];

interface Step {
  readonly stage: ShutdownStage;
  readonly name: string;
  readonly fn: () => Promise<void> | void;
}

/** What has to be stopped, stage by stage, after the last request was answered. */
export class ShutdownSequence {
  private readonly steps: Step[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly logger: Logger,
    /** How long one step may take before the sequence goes on without it. */
    private readonly stepTimeoutMs: number,
  ) {}

  add(stage: ShutdownStage, name: string, fn: () => Promise<void> | void): void {
    this.steps.push({ stage, name, fn });
  }

  /** Runs the stages in order, the steps of one stage together. A step that fails or hangs is logged, and passed. */
  run(): Promise<void> {
    this.running ??= this.runStages();
    return this.running;
  }

  private async runStages(): Promise<void> {
    for (const stage of SHUTDOWN_STAGES)
      await Promise.all(this.steps.filter((step) => step.stage === stage).map((step) => this.runStep(step)));
  }

  private async runStep({ stage, name, fn }: Step): Promise<void> {
    try {
      await within(this.stepTimeoutMs, Promise.resolve().then(fn));
      this.logger.debug({ stage, step: name }, 'stopped');
    } catch (err) {
      this.logger.error({ stage, step: name, err }, 'a step of the shutdown failed');
    }
  }
}

/** The promise, or an error when it takes longer. */
export async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
