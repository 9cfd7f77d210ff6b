import { Clock, type Context } from '@atelier/kernel';
import { Database, Outbox } from '@atelier/persistence';
import { InjectConfig, UseCase } from '@atelier/service';
import { CreditsHeld } from '@atelier/contracts/ledger/credits.events';
import type { PlaceHoldRequest } from '@atelier/contracts/ledger/holds.api';
import { AccountTurns } from '../accounts/account-turns.js';
import { AccountRepository } from '../accounts/account.repository.js';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { creditsInsufficient, holdIdTaken, openHold, type Hold } from './hold.domain.js';
import { HoldRepository } from './hold.repository.js';

/**
 * Sets credits aside for something that is about to happen, so that nothing else can spend them. The hold's id is
 * the key: a repeat answers the hold as it is now.
 *
 * Emits: CreditsHeld.
 * Fails with: ledger.credits.insufficient, ledger.hold.id_taken.
 */
@UseCase('ledger.place-hold')
export class PlaceHold {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly holds: HoldRepository,
    private readonly accounts: AccountRepository,
    private readonly turns: AccountTurns,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  async execute(request: PlaceHoldRequest, context: Context): Promise<Hold> {
    const { HOLD_TTL_SECONDS: ttlSeconds, HOLD_TTL_SECONDS_MAX: ttlSecondsMax } = this.config;
    const hold = openHold(request, { ttlSeconds, ttlSecondsMax }, this.clock.now());
    try {
      await this.turns.take([hold.userId], () => this.place(hold, context));
      return hold;
    } catch (error) {
      if (!HoldRepository.isDuplicate(error)) throw error;
    }
    const placed = await this.holds.load(hold.id);
    const same =
      placed?.userId === hold.userId && placed.amount === hold.amount && placed.sourceId === hold.sourceId;
    if (!placed || !same) throw holdIdTaken(hold.id);
    return placed;
  }

  private async place(hold: Hold, context: Context): Promise<void> {
    const { id, userId, amount, type, sourceId, createdAt } = hold;
    await this.database.transaction(async (session) => {
      // The hold first: a repeat must find it, even when it has used up the credits itself.
      await this.holds.insert(hold);
      const balance = await this.accounts.setAside(userId, amount, createdAt);
      if (!balance) {
        const { available, held } = (await this.accounts.load(userId)) ?? { available: 0, held: 0 };
        throw creditsInsufficient(available, held, amount);
      }
      const expiresAt = hold.expiresAt.toISOString();
      const held = CreditsHeld(userId, { holdId: id, userId, amount, type, sourceId, expiresAt });
      await this.outbox.append([held], balance.version, context, session, createdAt);
    });
  }
}
