import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '@atelier/kernel';
import { BackgroundLoop, InjectConfig, ShutdownSequence } from '@atelier/service';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { VoucherRepository } from './voucher.repository.js';

/** Writes down which vouchers have expired, so that lists tell it. Nobody could use them before that either. */
@Injectable()
export class VoucherExpiry implements OnApplicationBootstrap {
  private readonly loop: BackgroundLoop;

  constructor(
    vouchers: VoucherRepository,
    clock: Clock,
    @InjectConfig(ledgerConfig) config: LedgerConfig,
    shutdown: ShutdownSequence,
  ) {
    const { VOUCHER_SWEEP_BATCH_MAX: batchMax, VOUCHER_SWEEP_INTERVAL_MS: everyMs } = config;
    this.loop = new BackgroundLoop(
      'VoucherExpiry',
      everyMs,
      async () => (await vouchers.expire(clock.now(), batchMax)) === batchMax,
    );
    shutdown.add('jobs', 'voucher expiry', () => this.loop.stop());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }
}
