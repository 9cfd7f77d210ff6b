import { Clock, type Context, type DomainEvent } from '@atelier/kernel';
import { counter, Logger } from '@atelier/observability';
import { afterCommit } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { CreditsReleased } from '@atelier/contracts/ledger/credits.events';
import { giveBack } from '../accounts/account.domain.js';
import { assertBalanced, userOf, userPostings, type EntryDraft } from '../journal/entry.domain.js';
import { GroupCommit } from '../journal/group-commit.js';
import { recordEntry } from '../journal/record-entry.js';
import type { Sheet } from '../journal/sheet.js';
import {
  heldBy,
  holdNotFound,
  settleHold,
  type Hold,
  type ReleaseReason,
  type Settlement,
} from './hold.domain.js';
import { HoldRepository } from './hold.repository.js';

const lateCaptures = counter(
  'atelier_ledger_late_captures_total',
  'Holds that were captured after they had expired. Each one is an alert.',
);

/**
 * Ends a hold: captures it with the entry that a fact asks for, or gives its credits back. Of several that end it
 * at the same time one does, and the others answer the hold as it then is.
 *
 * Emits: CreditsSpent (and CreditsGranted to who earns) on capture, CreditsReleased for what is given back.
 * Fails with: ledger.hold.not_found, ledger.hold.released, ledger.hold.amount_exceeded, ledger.entry.unbalanced.
 */
@UseCase('ledger.settle-hold')
export class SettleHold {
  constructor(
    private readonly group: GroupCommit,
    private readonly holds: HoldRepository,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  async execute(settlement: Settlement, context: Context): Promise<Hold | undefined> {
    if (settlement.end === 'release' && settlement.mayBeMissing) {
      if (!(await this.holds.load(settlement.holdId))) return undefined;
    }
    const users =
      settlement.end === 'capture'
        ? userPostings(settlement.entry).map(({ account }) => userOf(account))
        : [(await this.load(settlement.holdId)).userId];
    const { holdId } = settlement;
    if (settlement.end === 'capture') assertBalanced(settlement.entry);
    return this.group.run({
      users,
      holds: [holdId],
      decide: (sheet) => this.settle(sheet, settlement, context),
    });
  }

  private settle(sheet: Sheet, settlement: Settlement, context: Context): Hold {
    const now = this.clock.now();
    const before = sheet.hold(settlement.holdId);
    if (!before) throw holdNotFound(settlement.holdId);
    const after = settleHold(before, settlement, now);
    if (after === before) return before;
    if (settlement.end === 'capture') {
      this.capture(sheet, before, after, settlement.entry, context, now);
    } else {
      const balance = giveBack(sheet.balance(after.userId, now), after.amount, now);
      const event = released(
        after,
        after.amount,
        settlement.end === 'expire' ? 'expired' : settlement.reason,
      );
      sheet.put(balance);
      sheet.facts.push({ event, version: balance.version, context });
    }
    sheet.endHold(before, after);
    return after;
  }

  private async load(holdId: Hold['id']): Promise<Hold> {
    const hold = await this.holds.load(holdId);
    if (!hold) throw holdNotFound(holdId);
    return hold;
  }

  private capture(
    sheet: Sheet,
    before: Hold,
    after: Hold,
    entry: EntryDraft,
    context: Context,
    now: Date,
  ): void {
    const late = before.status === 'expired';
    const rest = late ? 0 : after.amount - after.capturedAmount;
    const capture = {
      holdId: after.id,
      userId: after.userId,
      heldCredits: heldBy(before),
      late,
      events: rest > 0 ? [released(after, rest, 'partly_captured')] : [],
    };
    // Only one can win the hold: that saves the question whether its cause has an entry.
    recordEntry(sheet, entry, { context, now, capture });
    if (late) {
      afterCommit(() => {
        lateCaptures.inc();
        this.log.warn(
          { holdId: after.id, sourceId: after.sourceId, userId: after.userId },
          'captured after expiry',
        );
      });
    }
  }
}

function released({ id, userId, type, sourceId }: Hold, amount: number, reason: ReleaseReason): DomainEvent {
  return CreditsReleased(userId, { holdId: id, userId, amount, type, sourceId, reason });
}
