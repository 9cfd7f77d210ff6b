import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, newId, type Context } from '@atelier/kernel';
import { gauge, Logger } from '@atelier/observability';
import { InjectConfig, ShutdownSequence } from '@atelier/service';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { HoldRepository } from './hold.repository.js';
import { SettleHold } from './settle-hold.usecase.js';

const overdue = gauge(
  'atelier_ledger_overdue_hold_seconds',
  'How long the oldest expired hold has been open, at the last sweep.',
);

/**
 * The backstop: gives back what was set aside for something that never came to an end. Replicas may sweep at the
 * same time; a hold ends once, whoever gets there first, so they need no lease.
 */
@Injectable()
export class HoldExpiry implements OnApplicationBootstrap {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly holds: HoldRepository,
    private readonly settleHold: SettleHold,
    private readonly clock: Clock,
    private readonly log: Logger,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
    shutdown: ShutdownSequence,
  ) {
    shutdown.add('jobs', 'hold expiry', () => {
      this.stopping.abort();
      return this.running;
    });
  }

  onApplicationBootstrap(): void {
    this.running = this.loop();
  }

  /** Expires one batch. Answers how many holds there were. */
  async sweep(): Promise<number> {
    const now = this.clock.now();
    const holds = await this.holds.expired(now, this.config.HOLD_SWEEP_BATCH_MAX);
    overdue.set(holds[0] ? (now.getTime() - holds[0].expiresAt.getTime()) / 1000 : 0);
    const id = newId('swp');
    const context: Context = { actor: { kind: 'service', id: 'ledger' }, correlationId: id, causationId: id };
    for (const hold of holds) {
      if (this.stopping.signal.aborted) break;
      try {
        await this.settleHold.execute({ holdId: hold.id, end: 'expire' }, context);
      } catch (err) {
        // One hold that cannot be ended must not keep the others; it comes again with the next sweep.
        this.log.error({ err, holdId: hold.id }, 'a hold could not be expired');
      }
    }
    return holds.length;
  }

  private async loop(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.sweep();
      } catch (err) {
        this.log.error({ err }, 'the sweep of expired holds failed');
      }
      await sleep(this.config.HOLD_SWEEP_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
