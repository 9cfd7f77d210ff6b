import { Clock, type Context, type DomainEvent } from '@atelier/kernel';
import { counter, Logger } from '@atelier/observability';
import { afterCommit } from '@atelier/persistence';
import { UseCase } from '@atelier/service';
import { CreditsReleased } from '@atelier/contracts/ledger/credits.events';
import { giveBack } from '../accounts/account.domain.js';
import { assertBalanced, userOf, userPostings } from '../journal/entry.domain.js';
import { GroupCommit } from '../journal/group-commit.js';
import { recordEntry, type Capture, type Recording } from '../journal/record-entry.js';
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
 * Fails with: ledger.hold.not_found, ledger.hold.released, ledger.hold.amount_exceeded, ledger.entry.unbalanced,
 * ledger.account.busy, ledger.journal.busy.
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
    const users = await this.usersOf(settlement);
    if (!users) return undefined;
    const { hold, isLate } = await this.group.run({
      users,
      holds: [settlement.holdId],
      decide: (sheet) => settle(sheet, settlement, { context, now: this.clock.now() }),
    });
    if (isLate) afterCommit(() => this.tellOfLate(hold));
    return hold;
  }

  /** Whose accounts it touches; undefined when there is nothing to settle. */
  private async usersOf(settlement: Settlement): Promise<Hold['userId'][] | undefined> {
    if (settlement.end === 'capture') {
      assertBalanced(settlement.entry);
      return userPostings(settlement.entry).map(({ account }) => userOf(account));
    }
    const hold = await this.holds.load(settlement.holdId);
    if (hold) return [hold.userId];
    if (settlement.end === 'release' && settlement.mayBeMissing) return undefined;
    throw holdNotFound(settlement.holdId);
  }

  private tellOfLate({ id: holdId, sourceId, userId }: Hold): void {
    lateCaptures.inc();
    this.log.warn({ holdId, sourceId, userId }, 'captured after expiry');
  }
}

/** The hold as the settlement leaves it, and whether its capture came after its expiry. */
interface Settled {
  readonly hold: Hold;
  readonly isLate: boolean;
}
type Occasion = Pick<Recording, 'context' | 'now'>;

function settle(sheet: Sheet, settlement: Settlement, occasion: Occasion): Settled {
  const { context, now } = occasion;
  const before = sheet.hold(settlement.holdId);
  if (!before) throw holdNotFound(settlement.holdId);
  const hold = settleHold(before, settlement, now);
  if (hold === before) return { hold, isLate: false };
  if (settlement.end === 'capture') {
    // Only one can win the hold: that saves the question whether its cause has an entry.
    recordEntry(sheet, settlement.entry, { ...occasion, capture: captureOf(before, hold) });
  } else {
    const balance = giveBack(sheet.balance(hold.userId, now), hold.amount, now);
    const event = released(hold, hold.amount, settlement.end === 'expire' ? 'expired' : settlement.reason);
    sheet.put(balance);
    sheet.facts.push({ event, version: balance.version, context });
  }
  sheet.endHold(before, hold);
  return { hold, isLate: settlement.end === 'capture' && before.status === 'expired' };
}

function captureOf(before: Hold, after: Hold): Capture {
  const late = before.status === 'expired';
  const rest = late ? 0 : after.amount - after.capturedAmount;
  return {
    holdId: after.id,
    userId: after.userId,
    heldCredits: heldBy(before),
    late,
    events: rest > 0 ? [released(after, rest, 'partly_captured')] : [],
  };
}

function released({ id, userId, type, sourceId }: Hold, amount: number, reason: ReleaseReason): DomainEvent {
  return CreditsReleased(userId, { holdId: id, userId, amount, type, sourceId, reason });
}
