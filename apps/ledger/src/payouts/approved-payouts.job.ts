import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '@atelier/kernel';
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
  private isStopping = false;

  constructor(
    private readonly payouts: PayoutRequestRepository,
    private readonly advancePayout: AdvancePayout,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
    shutdown: ShutdownSequence,
  ) {
    this.loop = new BackgroundLoop('approved payouts', config.PAYOUT_SWEEP_INTERVAL_MS, () => this.sweep());
    shutdown.add('jobs', 'approved payouts', () => {
      this.isStopping = true;
      return this.loop.stop();
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  /**
   * Advances one batch, a few payouts side by side: one whose provider hangs keeps nobody but itself. Answers whether
   * there may be more at once.
   */
  async sweep(): Promise<boolean> {
    // First of all: the alert must not wait for what it is about.
    const since = await this.payouts.longestApproved();
    waiting.set(since ? (this.clock.now().getTime() - since.getTime()) / 1_000 : 0);
    let left = this.config.PAYOUT_SWEEP_BATCH_MAX;
    const worker = async (): Promise<void> => {
      while (left > 0 && !this.isStopping) {
        left--;
        const lease = await this.payouts.takeDue(this.clock.now(), this.config.PAYOUT_LEASE_MS);
        if (!lease) return void left++;
        await this.advancePayout.execute(lease);
      }
    };
    const workers = Array.from({ length: this.config.PAYOUT_CONCURRENCY_MAX }, worker);
    const failed = (await Promise.allSettled(workers)).find(({ status }) => status === 'rejected');
    if (failed) throw (failed as PromiseRejectedResult).reason;
    return left === 0 && !this.isStopping;
  }
}
