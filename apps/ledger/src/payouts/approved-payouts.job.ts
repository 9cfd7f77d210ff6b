import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, VersionConflict } from '@atelier/kernel';
import { gauge } from '@atelier/observability';
import { BackgroundLoop, InjectConfig, ShutdownSequence } from '@atelier/service';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { AdvancePayout } from './advance-payout.usecase.js';
import { PayoutRequestRepository } from './payout-request.repository.js';

const waiting = gauge(
  'atelier_ledger_payout_waiting_seconds',
  'How long ago the oldest payout that is approved and not paid was approved, at the last sweep.',
);

/**
 * Pays what was approved. Replicas share the work: a payout belongs to who took it for the length of a lease, and
 * when that one dies, to whoever comes next.
 */
@Injectable()
export class ApprovedPayouts implements OnApplicationBootstrap {
  private readonly loop: BackgroundLoop;

  constructor(
    private readonly payouts: PayoutRequestRepository,
    private readonly advancePayout: AdvancePayout,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
    shutdown: ShutdownSequence,
  ) {
    this.loop = new BackgroundLoop('approved payouts', config.PAYOUT_SWEEP_INTERVAL_MS, () => this.sweep());
    shutdown.add('jobs', 'approved payouts', () => this.loop.stop());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  /** Advances one batch. Answers whether there may be more at once. */
  async sweep(): Promise<boolean> {
    for (let taken = 0; taken < this.config.PAYOUT_SWEEP_BATCH_MAX; taken++) {
      const payout = await this.payouts.takeDue(this.clock.now(), this.config.PAYOUT_LEASE_MS);
      if (!payout) {
        const since = await this.payouts.oldestUnpaid();
        waiting.set(since ? (this.clock.now().getTime() - since.getTime()) / 1_000 : 0);
        return false;
      }
      await this.advancePayout.execute(payout).catch((error: unknown) => {
        // Slower than the lease: somebody else went on with it.
        if (!(error instanceof VersionConflict)) throw error;
      });
    }
    return true;
  }
}
