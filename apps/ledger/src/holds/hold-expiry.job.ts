import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, newId, type Context } from '@atelier/kernel';
import { gauge, Logger } from '@atelier/observability';
import { BackgroundLoop, InjectConfig, ShutdownSequence } from '@atelier/service';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import type { Hold } from './hold.domain.js';
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
  private readonly loop: BackgroundLoop;
  /** Up to here this round has found holds that cannot be ended: the ones behind them have their turn first. */
  private behind: Hold | undefined;

  constructor(
    private readonly holds: HoldRepository,
    private readonly settleHold: SettleHold,
    private readonly clock: Clock,
    private readonly log: Logger,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
    shutdown: ShutdownSequence,
  ) {
    this.loop = new BackgroundLoop('hold expiry', config.HOLD_SWEEP_INTERVAL_MS, () => this.sweep());
    shutdown.add('jobs', 'hold expiry', () => this.loop.stop());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  /** Expires one batch, side by side, so that they share transactions. Answers whether there may be more. */
  async sweep(): Promise<boolean> {
    const now = this.clock.now();
    const { HOLD_SWEEP_BATCH_MAX: most } = this.config;
    const holds = await this.holds.expired(now, most, this.behind);
    if (!this.behind) overdue.set(holds[0] ? (now.getTime() - holds[0].expiresAt.getTime()) / 1000 : 0);
    const id = newId('swp');
    const context: Context = { actor: { kind: 'service', id: 'ledger' }, correlationId: id, causationId: id };
    const areEnded = await Promise.all(holds.map((hold) => this.expire(hold, context)));
    const mayBeMore = holds.length === most;
    const isInTheWay = this.behind !== undefined || areEnded.includes(false);
    this.behind = mayBeMore && isInTheWay ? holds.at(-1) : undefined;
    return mayBeMore;
  }

  private async expire({ id: holdId }: Hold, context: Context): Promise<boolean> {
    try {
      await this.settleHold.execute({ holdId, end: 'expire' }, context);
      return true;
    } catch (err) {
      // It comes again with the next round.
      this.log.error({ err, holdId }, 'a hold could not be expired');
      return false;
    }
  }
}
