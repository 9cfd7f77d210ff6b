import { InjectConfig, UseCase } from '@atelier/service';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { extendHold, holdNotFound, type Hold } from './hold.domain.js';
import { HoldRepository } from './hold.repository.js';

/**
 * Lets an open hold stand longer. It and an expiry at the same time are one after the other: the second sees what
 * the first did.
 *
 * Fails with: ledger.hold.not_found, ledger.hold.ended.
 */
@UseCase('ledger.extend-hold')
export class ExtendHold {
  constructor(
    private readonly holds: HoldRepository,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  async execute(holdId: Hold['id'], until: Date): Promise<Hold> {
    const before = await this.holds.load(holdId);
    if (!before) throw holdNotFound(holdId);
    const after = extendHold(before, until, { ttlSecondsMax: this.config.HOLD_TTL_SECONDS_MAX });
    if (after !== before) await this.holds.extend(after);
    return after;
  }
}
