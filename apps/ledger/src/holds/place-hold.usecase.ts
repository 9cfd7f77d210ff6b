import { Clock, DomainError, type Context } from '@atelier/kernel';
import { InjectConfig, UseCase } from '@atelier/service';
import { CreditsHeld } from '@atelier/contracts/ledger/credits.events';
import type { PlaceHoldRequest } from '@atelier/contracts/ledger/holds.api';
import { assertNotErased, setAside } from '../accounts/account.domain.js';
import { GroupCommit } from '../journal/group-commit.js';
import type { Sheet } from '../journal/sheet.js';
import { ledgerConfig, type LedgerConfig } from '../ledger.config.js';
import { creditsInsufficient, holdIdTaken, isSameHold, openHold, type Hold } from './hold.domain.js';
import { HoldRepository } from './hold.repository.js';

/** Of what `place` refuses a hold for, both may have come after it was placed. */
const REFUSALS: ReadonlySet<string> = new Set(['payment_required', 'gone']);

/**
 * Sets credits aside for something that is about to happen, so that nothing else can spend them. The hold's id is
 * the key: a repeat answers the hold as it is now.
 *
 * Emits: CreditsHeld.
 * Fails with: ledger.credits.insufficient, ledger.account.erased, ledger.hold.id_taken, ledger.account.busy,
 * ledger.journal.busy.
 */
@UseCase('ledger.place-hold')
export class PlaceHold {
  constructor(
    private readonly group: GroupCommit,
    private readonly holds: HoldRepository,
    private readonly clock: Clock,
    @InjectConfig(ledgerConfig) private readonly config: LedgerConfig,
  ) {}

  async execute(request: PlaceHoldRequest, context: Context): Promise<Hold> {
    const { HOLD_TTL_SECONDS: ttlSeconds, HOLD_TTL_SECONDS_MAX: ttlSecondsMax } = this.config;
    const hold = openHold(request, { ttlSeconds, ttlSecondsMax }, this.clock.now());
    try {
      await this.group.run({ users: [hold.userId], decide: (sheet) => place(sheet, hold, context) });
      return hold;
    } catch (error) {
      // A repeat finds the hold, even when that has used up the credits itself.
      const isRefused = error instanceof DomainError && REFUSALS.has(error.kind);
      if (!isRefused && !HoldRepository.isDuplicate(error)) throw error;
      const placed = await this.holds.load(hold.id);
      if (!placed && isRefused) throw error;
      if (!placed || !isSameHold(placed, hold)) throw holdIdTaken(hold.id);
      return placed;
    }
  }
}

function place(sheet: Sheet, hold: Hold, context: Context): void {
  const { id: holdId, userId, amount, type, sourceId, createdAt } = hold;
  const before = sheet.balance(userId, createdAt);
  assertNotErased(before);
  const after = setAside(before, amount, createdAt);
  if (!after) throw creditsInsufficient(before.available, before.held, amount);
  const expiresAt = hold.expiresAt.toISOString();
  const held = CreditsHeld(userId, { holdId, userId, amount, type, sourceId, expiresAt });
  sheet.newHolds.push(hold);
  sheet.put(after);
  sheet.facts.push({ event: held, version: after.version, context });
}
