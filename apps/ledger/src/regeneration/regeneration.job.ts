import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { BackgroundLoop, InjectConfig, ShutdownSequence } from '@atelier/service';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { BegunMonth } from './begun-month.js';
import { RegenerateShard } from './regenerate-shard.usecase.js';

/** Runs the monthly sweep: shard after shard while accounts are due, and otherwise one cheap look per interval. */
@Injectable()
export class Regeneration implements OnApplicationBootstrap {
  private readonly loop: BackgroundLoop;

  constructor(
    regenerateShard: RegenerateShard,
    begunMonth: BegunMonth,
    @InjectConfig(ledgerConfig) { REGENERATION_INTERVAL_MS: everyMs }: LedgerConfig,
    shutdown: ShutdownSequence,
  ) {
    const stopping = new AbortController();
    this.loop = new BackgroundLoop('regeneration', everyMs, async () => {
      const report = await regenerateShard.execute(await begunMonth.newest(), stopping.signal);
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
