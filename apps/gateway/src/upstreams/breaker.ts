/**
 * Keeps requests from an upstream that cannot be reached: after so many failures in a row it opens; when its time
 * is over one request tries, and its outcome closes it or opens it again. A trial that takes long keeps nobody waiting:
 * another one follows as late as the first did.
 */
export class Breaker {
  private failures = 0;
  private openUntilMs = 0;
  private trialUntilMs = 0;

  constructor(
    private readonly failuresMax: number,
    private readonly openMs: number,
    /** Told when it opens and when it closes. */
    private readonly onChange: (isOpen: boolean) => void = () => undefined,
  ) {}

  /** Whether a request may go out. One that did must be followed by `succeeded`, `failed` or `abandoned`. */
  admit(nowMs: number): boolean {
    if (this.openUntilMs === 0) return true;
    if (nowMs < Math.max(this.openUntilMs, this.trialUntilMs)) return false;
    this.trialUntilMs = nowMs + this.openMs;
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    this.trialUntilMs = 0;
    if (this.openUntilMs === 0) return;
    this.openUntilMs = 0;
    this.onChange(false);
  }

  failed(nowMs: number): void {
    this.failures += 1;
    this.trialUntilMs = 0;
    if (this.failures < this.failuresMax) return;
    const wasClosed = this.openUntilMs === 0;
    this.openUntilMs = nowMs + this.openMs;
    if (wasClosed) this.onChange(true);
  }

  /** The request ended without telling anything about the upstream, as when its client went away. */
  abandoned(): void {
    this.trialUntilMs = 0;
  }

  retryAfterSeconds(nowMs: number): number {
    return Math.max(1, Math.ceil((Math.max(this.openUntilMs, this.trialUntilMs) - nowMs) / 1_000));
  }
}
