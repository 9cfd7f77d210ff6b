/** The answer of a check; the reason is read by an operator. */
export interface HealthAnswer {
  readonly up: boolean;
  readonly reason?: string;
}

export interface HealthCheckEntry {
  readonly name: string;
  readonly check: () => Promise<HealthAnswer>;
  readonly readiness: boolean;
}

/** What decides whether this service is ready. Liveness never depends on any of it. */
export class HealthRegistry {
  private readonly entries = new Map<string, HealthCheckEntry>();
  private readonly drainListeners: (() => void)[] = [];
  private phase: 'starting' | 'serving' | 'draining' = 'starting';

  /** Adds a check. With `readiness: false` it is shown, and does not keep traffic away. Names are unique. */
  add(
    name: string,
    check: () => Promise<HealthAnswer>,
    options: { readiness: boolean } = { readiness: true },
  ): void {
    if (this.entries.has(name)) throw new Error(`a health check named "${name}" exists already`);
    this.entries.set(name, { name, check, readiness: options.readiness });
  }

  checks(): readonly HealthCheckEntry[] {
    return [...this.entries.values()];
  }

  /** From now on requests are taken. */
  started(): void {
    this.phase = 'serving';
  }

  /** From now on this instance wants no new traffic. */
  drain(): void {
    this.phase = 'draining';
    for (const listener of this.drainListeners) listener();
  }

  /** For requests that would not end by themselves, such as event streams: the drain waits for them. */
  whenDraining(listener: () => void): void {
    this.drainListeners.push(listener);
  }

  get draining(): boolean {
    return this.phase === 'draining';
  }

  /** Start-up is over; it stays over while draining. */
  get hasStarted(): boolean {
    return this.phase !== 'starting';
  }
}
