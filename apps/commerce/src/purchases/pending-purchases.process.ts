import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, VersionConflict } from '@atelier/kernel';
import { BackgroundLoop, InjectConfig, ShutdownSequence } from '@atelier/service';
import { commerceConfig, type CommerceConfig } from '../commerce.config.js';
import { GiveUpPurchase } from './give-up-purchase.usecase.js';
import { PurchaseRepository } from './purchase.repository.js';

const BATCH_MAX = 100;

/** Finds purchases that were begun and never ended. Several replicas may sweep: the first to save wins. */
@Injectable()
export class PendingPurchases implements OnApplicationBootstrap {
  private readonly loop: BackgroundLoop;

  constructor(
    private readonly purchases: PurchaseRepository,
    private readonly giveUp: GiveUpPurchase,
    private readonly clock: Clock,
    @InjectConfig(commerceConfig) private readonly config: CommerceConfig,
    shutdown: ShutdownSequence,
  ) {
    this.loop = new BackgroundLoop('pending purchases', config.PURCHASE_SWEEP_MS, () => this.sweep());
    shutdown.add('jobs', 'pending purchases', () => this.loop.stop());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  private async sweep(): Promise<boolean> {
    const before = new Date(this.clock.now().getTime() - this.config.PURCHASE_PENDING_MAX_MS);
    const pending = await this.purchases.pendingSince(before, BATCH_MAX);
    for (const { id } of pending)
      await this.giveUp.execute(id).catch((error: unknown) => {
        if (!(error instanceof VersionConflict)) throw error;
      });
    return pending.length === BATCH_MAX;
  }
}
