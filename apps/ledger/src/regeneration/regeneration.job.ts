import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '@atelier/kernel';
import { BackgroundLoop, InjectConfig, ShutdownSequence } from '@atelier/service';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { RegenerateShard } from './regenerate-shard.usecase.js';
import { monthOf } from './regeneration.domain.js';

/** Runs the monthly sweep: shard after shard while accounts are due, and otherwise one cheap look per interval. */
@Injectable()
export class Regeneration implements OnApplicationBootstrap {
  private readonly loop: BackgroundLoop;

  constructor(
    regenerateShard: RegenerateShard,
    clock: Clock,
    @InjectConfig(ledgerConfig) { REGENERATION_INTERVAL_MS: everyMs }: LedgerConfig,
    shutdown: ShutdownSequence,
  ) {
    const stopping = new AbortController();
    this.loop = new BackgroundLoop('regeneration', everyMs, async () => {
      const report = await regenerateShard.execute(monthOf(clock.now()), stopping.signal);
      return report !== undefined;
    });
    shutdown.add('jobs', 'regeneration', () => {
      stopping.abort();
      return this.loop.stop();
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }
}
