import type { Services } from './commands/command.js';

/** How long a retryable write and a commit are remembered; drivers repeat within seconds. */
const retryRecordMinutes = 10;

/** How often the adapter does the work of the engine's own scheduled jobs. */
export interface MaintenanceOptions {
  /** Pause between two sweeps for expired documents, cursors and records. Default one minute, as in MongoDB. */
  sweepMs?: number;
}

const sweepMsDefault = 60_000;

/** Deletes expired documents (TTL indexes), idle cursors, and records of old writes and commits. */
export class Maintenance {
  readonly #timer: NodeJS.Timeout;
  #running = false;

  constructor(
    private readonly services: Services,
    { sweepMs = sweepMsDefault }: MaintenanceOptions,
  ) {
    this.#timer = setInterval(() => void this.#sweep(), sweepMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #sweep(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { general } = this.services.postgres;
    const old = `now() - interval '${retryRecordMinutes} minutes'`;
    const steps = [
      () => general.query('CALL documentdb_api_internal.delete_expired_rows()'),
      () => general.query(`DELETE FROM documentdb_data.retryable_writes WHERE write_time < ${old}`),
      () => general.query(`DELETE FROM atelier.commits WHERE at < ${old}`),
      () => general.query(`DELETE FROM atelier.batches WHERE at < ${old}`),
      () => this.services.cursors.closeIdle(),
    ];
    // Each step is repeated at the next sweep; a failure of one must not keep the others from running.
    for (const step of steps)
      await step().catch((error: Error) => console.error('maintenance:', error.message));
    this.#running = false;
  }
}
