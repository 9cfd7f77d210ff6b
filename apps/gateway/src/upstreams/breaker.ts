/**
 * Keeps requests from an upstream that cannot be reached: after so many failures in a row it opens; when its time
 * is over one request tries, and its outcome closes it or opens it again.
 */
export class Breaker {
  private failures = 0;
  private openUntilMs = 0;
  private isTrying = false;

  constructor(
    private readonly failuresMax: number,
    private readonly openMs: number,
    /** Told when it opens and when it closes. */
    private readonly onChange: (isOpen: boolean) => void = () => undefined,
  ) {}

  /** Whether a request may go out. One that did must be followed by `succeeded`, `failed` or `abandoned`. */
  admit(nowMs: number): boolean {
    if (this.openUntilMs === 0) return true;
    if (nowMs < this.openUntilMs || this.isTrying) return false;
    this.isTrying = true;
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    this.isTrying = false;
    if (this.openUntilMs === 0) return;
    this.openUntilMs = 0;
    this.onChange(false);
  }

  failed(nowMs: number): void {
    this.failures += 1;
    this.isTrying = false;
    if (this.failures < this.failuresMax) return;
    const wasClosed = this.openUntilMs === 0;
    this.openUntilMs = nowMs + this.openMs;
    if (wasClosed) this.onChange(true);
  }

  /** The request ended without telling anything about the upstream, as when its client went away. */
  abandoned(): void {
    this.isTrying = false;
  }

  retryAfterSeconds(nowMs: number): number {
    return Math.max(1, Math.ceil((this.openUntilMs - nowMs) / 1_000));
  }
}
